import { open, stat } from 'node:fs/promises';

/** The end of a log, at most 16 kB of it: logs can be large, and only their last words are shown. */
export async function lastLines(file: string, count: number): Promise<string[]> {
  return (await readFrom(file, Math.max(0, (await sizeOf(file)) - 16_384)))
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-count)
    .map((line) => line.slice(0, 500));
}

/** What was written after `offset`, at most 4 MB of it: the newest. */
export async function readFrom(file: string, offset: number): Promise<string> {
  const size = await sizeOf(file);
  const start = Math.max(offset, size - 4 * 1024 * 1024);
  if (size <= start) return '';
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(size - start), position: start });
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** 0 when it is not there. */
export async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}
