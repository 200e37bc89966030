import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from '../../activities/evidence/directory.ts';
import { type Entry, logFileName, logFiles } from '../../activities/pulse/log.ts';

const day = 24 * 60 * 60 * 1_000;

/** Appends lines and has them on the disk before it says so. */
export class LogWriter {
  readonly #directory: string;
  readonly #service: string;
  #open: { path: string; file: FileHandle } | undefined;

  constructor(directory: string, service: string) {
    this.#directory = directory;
    this.#service = service;
  }

  async append(entry: Entry): Promise<void> {
    const file = await this.#today();
    try {
      await file.appendFile(`${JSON.stringify(entry)}\n`);
      // An acknowledged write counts as known only when a power cut cannot take its line away.
      await file.datasync();
    } catch (error) {
      // Half a line may be there: the next append opens the file again and cuts it off.
      await this.close();
      throw error;
    }
  }

  /** Removes the logs of days on which nothing newer than `keepMs` can have been written. */
  async removeOld(keepMs: number): Promise<void> {
    const oldest = new Date(Date.now() - keepMs - day).toISOString().slice(0, 10);
    const files = await logFiles(this.#directory);
    for (const file of files)
      if (file.service === this.#service && file.day < oldest) await rm(file.path, { force: true });
  }

  async close(): Promise<void> {
    const { file } = this.#open ?? {};
    this.#open = undefined;
    await file?.close().catch(() => undefined);
  }

  async #today(): Promise<FileHandle> {
    const path = join(this.#directory, logFileName(this.#service, new Date()));
    if (this.#open?.path === path) return this.#open.file;
    await this.close();
    await mkdir(this.#directory, { recursive: true, mode: 0o750 });
    const file = await open(path, 'a+', 0o640);
    await cutTornLine(file);
    await syncDirectory(this.#directory);
    this.#open = { path, file };
    return file;
  }
}

/** A crash may have left half a line; what follows it would be lost with it. */
async function cutTornLine(file: FileHandle): Promise<void> {
  const { size } = await file.stat();
  const step = 4_096;
  for (let end = size; end > 0; end = Math.max(0, end - step)) {
    const start = Math.max(0, end - step);
    const { buffer } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
    const lineFeed = buffer.lastIndexOf(0x0a);
    if (lineFeed === -1) continue;
    if (start + lineFeed + 1 < size) await file.truncate(start + lineFeed + 1);
    return;
  }
  if (size > 0) await file.truncate(0);
}
