/** Reads the logs of the tools and servers of a drill, although the drill deletes them: whoever holds a file open can still read it. */
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const everyMs = 20;
const names = ['restore.log', 'postgresql.log'] as const;

/** What the tools and servers themselves say was done. */
export interface Deeds {
  restoresBegun: number;
  restoresCompleted: number;
  starts: number;
  /** Timelines that a promotion began. */
  timelines: number[];
}

export class ScratchLogs {
  readonly #root: string;
  readonly #open = new Map<string, FileHandle>();
  readonly #looking: Promise<void>;
  #over = false;

  constructor(root: string) {
    this.#root = root;
    this.#looking = this.#look();
  }

  /** What was done in the directories of this run, which are called like the beginning of its name and an execution. */
  async deeds(run: string): Promise<Deeds> {
    const own = [...this.#open].filter(([key]) => key.includes(` ${join(this.#root, run.slice(0, 24))}-`));
    const texts = await Promise.all(own.map(async ([key, file]) => ({ key, text: await textOf(file) })));
    const all = (name: string) => texts.flatMap(({ key, text }) => (key.endsWith(name) ? [text] : [])).join('\n');
    const server = all('postgresql.log');
    const restore = all('restore.log');
    return {
      restoresBegun: count(restore, /restore command begin/g),
      restoresCompleted: count(restore, /restore command end: completed successfully/g),
      starts: count(server, /LOG: {2}starting PostgreSQL/g),
      timelines: [...server.matchAll(/selected new timeline ID: (\d+)/g)].map(([, id]) => Number(id)),
    };
  }

  async end(): Promise<void> {
    this.#over = true;
    await this.#looking;
    await Promise.all([...this.#open.values()].map((file) => file.close()));
  }

  async #look(): Promise<void> {
    while (!this.#over) {
      for (const run of await readdir(this.#root).catch(() => []))
        for (const name of names) await this.#hold(join(this.#root, run, 'log', name));
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }

  /** A log that was deleted and begun anew is another file. */
  async #hold(path: string): Promise<void> {
    const file = await open(path, 'r').catch(() => undefined);
    if (file === undefined) return;
    const key = `${(await file.stat()).ino} ${path}`;
    if (this.#open.has(key)) await file.close();
    else this.#open.set(key, file);
  }
}

async function textOf(file: FileHandle): Promise<string> {
  const { size } = await file.stat();
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(size), position: 0 });
  return buffer.toString('utf8', 0, bytesRead);
}

function count(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].length;
}
