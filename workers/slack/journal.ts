/** Clicks on disk: before one is acknowledged to Slack it is kept here, and what became of it afterwards. */
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type ClickEnd, clickSchema, type SlackClick } from './click.ts';

// Some 20,000 clicks; the file before it is kept too.
const turnAtBytes = 5_000_000;

/** One directory is one gateway's. */
export class Journal {
  readonly #pending: string;
  readonly #answered: string;
  /** Of clicks that are known: a second delivery of one does nothing. */
  readonly #known = new Set<string>();

  private constructor(directory: string) {
    this.#pending = join(directory, 'pending');
    this.#answered = join(directory, 'answered.jsonl');
  }

  static async open(directory: string): Promise<Journal> {
    const journal = new Journal(directory);
    await mkdir(journal.#pending, { recursive: true, mode: 0o700 });
    for (const file of [`${journal.#answered}.1`, journal.#answered])
      for (const key of await keysIn(file)) journal.#known.add(key);
    return journal;
  }

  /** Clicks that nobody has been answered yet, oldest first. Whatever else lies there is left alone. */
  async unanswered(): Promise<SlackClick[]> {
    const clicks: SlackClick[] = [];
    for (const name of (await readdir(this.#pending)).filter((one) => one.endsWith('.json'))) {
      const read = clickSchema.safeParse(parsed(await readFile(join(this.#pending, name), 'utf8')));
      if (read.success && !this.#known.has(read.data.key)) clicks.push(read.data);
    }
    for (const { key } of clicks) this.#known.add(key);
    return clicks.sort((a, b) => a.at.localeCompare(b.at));
  }

  /** Keeps a click. `false`: it is known already. */
  async keep(click: SlackClick): Promise<boolean> {
    if (this.#known.has(click.key)) return false;
    this.#known.add(click.key);
    const file = this.#fileOf(click);
    await durably(`${file}.part`, 'w', JSON.stringify(click));
    await rename(`${file}.part`, file);
    return true;
  }

  /** Notes the end of a click, and only then lets it go. */
  async answered(click: SlackClick, end: ClickEnd): Promise<void> {
    const { size } = await stat(this.#answered).catch(() => ({ size: 0 }));
    if (size > turnAtBytes) await rename(this.#answered, `${this.#answered}.1`);
    const line = { ...click, ...end, answeredAt: new Date().toISOString() };
    await durably(this.#answered, 'a', `${JSON.stringify(line)}\n`);
    await rm(this.#fileOf(click), { force: true });
  }

  #fileOf({ key }: SlackClick): string {
    return join(this.#pending, `${key}.json`);
  }
}

async function durably(file: string, flags: 'w' | 'a', text: string): Promise<void> {
  const handle = await open(file, flags, 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function keysIn(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    const read: unknown = parsed(line);
    return typeof read === 'object' && read !== null && 'key' in read && typeof read.key === 'string' ? [read.key] : [];
  });
}

/** A line that was cut off by a crash is no line. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
