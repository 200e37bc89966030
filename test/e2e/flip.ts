/** Damage as a disk does it. */
import { open, stat } from 'node:fs/promises';

/** Inverts a byte of a file, the last one when the file is shorter; the returned function mends it. */
export async function flip(file: string, at: number): Promise<() => Promise<void>> {
  const { size } = await stat(file);
  const position = Math.min(at, size - 1);
  const turn = async () => {
    const handle = await open(file, 'r+');
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, position);
    byte[0] = (byte[0] ?? 0) ^ 0xff;
    await handle.write(byte, 0, 1, position);
    await handle.close();
  };
  await turn();
  return turn;
}
