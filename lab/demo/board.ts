import { formatDuration } from '../../evidence/format.ts';

/** What the demo says while it prepares: one line for each thing that is done, with the time that it took. */
export class Board {
  readonly color: boolean;
  readonly #live: boolean;
  #pending = '';

  constructor(stream: NodeJS.WriteStream = process.stdout) {
    this.#live = stream.isTTY === true;
    this.color = this.#live && process.env.NO_COLOR === undefined;
  }

  /** Does something and says what came of it; `work` returns the words for that. */
  async line(name: string, doing: string, work: () => Promise<string>): Promise<void> {
    const started = performance.now();
    this.#show(`  ${name.padEnd(8)} ${doing} …`);
    try {
      const done = await work();
      const took = formatDuration(Math.max(1_000, Math.round((performance.now() - started) / 1_000) * 1_000));
      this.#clear();
      this.say(`${this.#green('✓')} ${name.padEnd(8)} ${done.padEnd(60)} ${took.padStart(6)}`);
    } finally {
      this.#clear();
    }
  }

  /** A line that stays. What is under way is shown again below it. */
  say(line: string): void {
    const pending = this.#pending;
    this.#clear();
    console.log(line);
    if (pending !== '') this.#show(pending);
  }

  #show(line: string): void {
    this.#pending = line;
    if (this.#live) process.stdout.write(line.slice(0, (process.stdout.columns || 80) - 1));
  }

  #clear(): void {
    if (this.#live && this.#pending !== '') process.stdout.write('\r\u001b[K');
    this.#pending = '';
  }

  #green(text: string): string {
    return this.color ? `\u001b[32m${text}\u001b[0m` : text;
  }
}
