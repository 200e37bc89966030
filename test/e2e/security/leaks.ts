/** Looks for secrets wherever something of a run can be read, in every form that programs write them. */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** What was said, by where it was said. */
export type Places = Map<string, Buffer>;

export interface Leak {
  secret: string;
  form: string;
  place: string;
}

/** A secret as it may stand in a text. The middle of its base64 depends on what stands before it: three ways. */
export function formsOf(secret: string): Record<string, string> {
  const bytes = Buffer.from(secret);
  const inBase64 = (before: number) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    // Characters at the ends are made of neighbours' bits too.
    return text.slice(Math.ceil((before * 4) / 3), -1);
  };
  const forms = {
    plain: secret,
    'URL-encoded': encodeURIComponent(secret),
    'in JSON': JSON.stringify(secret).slice(1, -1),
    hexadecimal: bytes.toString('hex'),
    HEXADECIMAL: bytes.toString('hex').toUpperCase(),
    ...Object.fromEntries([0, 1, 2].map((before) => [`base64, ${before} bytes on`, inBase64(before)])),
  };
  return {
    ...forms,
    ...Object.fromEntries([0, 1, 2].map((before) => [`base64url, ${before} bytes on`, urlSafe(inBase64(before))])),
  };
}

function urlSafe(text: string): string {
  return text.replaceAll('+', '-').replaceAll('/', '_');
}

/** A private key as its file writes it, line by line: whatever shows one of them shows too much. */
export async function linesOfKey(whose: string, file: string): Promise<Record<string, string>> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => /^[A-Za-z0-9+/=]{20,}$/.test(line));
  if (lines.length === 0) throw new Error(`no private key stands in ${file}`);
  return Object.fromEntries(lines.map((line, index) => [`line ${index + 1} of the key of ${whose}`, line]));
}

/** @param secrets by the name that a finding may print */
export function leaksIn(places: Places, secrets: Record<string, string>): Leak[] {
  const wanted = Object.entries(secrets).flatMap(([secret, value]) =>
    Object.entries(formsOf(value)).map(([form, text]) => ({ secret, form, bytes: Buffer.from(text) })),
  );
  return [...places].flatMap(([place, said]) =>
    wanted.filter(({ bytes }) => said.includes(bytes)).map(({ secret, form }) => ({ secret, form, place })),
  );
}

/** Every file below a folder. */
export async function filesOf(folder: string, name: string): Promise<[string, Buffer][]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    files.map(
      async (file): Promise<[string, Buffer]> => [
        `${name}: ${relative(folder, file)}`,
        await readFile(file).catch(() => Buffer.alloc(0)),
      ],
    ),
  );
}

/** All bytes within a value, such as the payloads of a history, and its texts. */
export function bytesWithin(value: unknown): Buffer {
  const parts: Buffer[] = [];
  const seen = new Set<object>();
  const walk = (one: unknown): void => {
    if (typeof one === 'string') parts.push(Buffer.from(`${one}\n`));
    else if (one instanceof Uint8Array) parts.push(Buffer.from(one), Buffer.from('\n'));
    else if (typeof one === 'object' && one !== null && !seen.has(one)) {
      seen.add(one);
      for (const [key, inner] of Object.entries(one)) {
        parts.push(Buffer.from(`${key}\n`));
        walk(inner);
      }
    }
  };
  walk(value);
  return Buffer.concat(parts);
}

/** Command lines and environments of all processes of this machine, while it runs. */
export class ProcessWatch {
  readonly #looks = new Map<string, number>();
  readonly #commands = new Set<string>();
  readonly #environments = new Map<string, string>();
  readonly #stop = new AbortController();
  readonly #own: (environment: string) => boolean;
  readonly #watching: Promise<void>;

  /** @param own tells the processes that are ours to look at by their environment */
  constructor(own: (environment: string) => boolean) {
    this.#own = own;
    this.#watching = this.#watch();
  }

  async #watch(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.look();
      await wait(50, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  async look(): Promise<void> {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    await Promise.all(pids.map((pid) => this.#lookAt(pid)));
  }

  /** Several times: between its fork and its exec a process shows what its parent was. */
  async #lookAt(pid: string): Promise<void> {
    const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'latin1').catch(() => '');
    const born = (await read('stat')).split(') ')[1]?.split(' ')[19] ?? '';
    const looks = this.#looks.get(`${pid} ${born}`) ?? 0;
    if (looks > 5) return;
    this.#looks.set(`${pid} ${born}`, looks + 1);
    const [command, environment] = await Promise.all([read('cmdline'), read('environ')]);
    this.#commands.add(command.replaceAll('\0', ' '));
    if (this.#own(environment))
      this.#environments.set(`${pid} ${command.replaceAll('\0', ' ').slice(0, 80)}`, environment);
  }

  async stop(): Promise<[string, Buffer][]> {
    await this.look();
    this.#stop.abort();
    await this.#watching;
    return [
      ['process list', Buffer.from([...this.#commands].join('\n'), 'latin1')],
      ...[...this.#environments].map(([process, text]): [string, Buffer] => [
        `environment of ${process}`,
        Buffer.from(text, 'latin1'),
      ]),
    ];
  }

  /** How many processes were seen. */
  get seen(): number {
    return this.#looks.size;
  }
}
