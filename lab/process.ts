import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { Account } from './account.ts';
import { lastLines } from './command.ts';
import { childEnvironment } from './environment.ts';
import type { Port } from './ports.ts';
import { Hopeless, until } from './until.ts';

export interface ProcessSpec {
  name: string;
  command: string;
  args: readonly string[];
  env?: Record<string, string>;
  account?: Account;
  cwd?: string;
  /** Released right before the first start. */
  ports?: readonly Port[];
  /** SIGTERM when absent. PostgreSQL wants SIGINT, its fast shutdown. */
  stopSignal?: NodeJS.Signals;
  /** Somebody else may end it in order and start it again: finds the process that serves now. */
  elsewhere?(): number | undefined;
  ready(): Promise<boolean>;
  readyWithinMs?: number;
}

export interface ProcessSurroundings {
  logFile: string;
  pidFile: string;
  say(line: string): void;
  signal: AbortSignal;
}

const ending: readonly NodeJS.Signals[] = ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGQUIT'];

/** One process of the estate: it can be ended and started again, and says so when it dies unasked. */
export class EstateProcess {
  readonly name: string;
  readonly logFile: string;
  #spec: ProcessSpec;
  #surroundings: ProcessSurroundings;
  #child: ChildProcess | undefined;
  #gone: Promise<void> = Promise.resolve();
  #expected = false;
  #serving = false;

  constructor(spec: ProcessSpec, surroundings: ProcessSurroundings) {
    this.name = spec.name;
    this.logFile = surroundings.logFile;
    this.#spec = spec;
    this.#surroundings = surroundings;
  }

  get pid(): number | undefined {
    return this.#child?.pid ?? this.#spec.elsewhere?.();
  }

  get running(): boolean {
    return this.pid !== undefined;
  }

  /** Starts it and waits until it serves. */
  async start(): Promise<void> {
    if (this.running) throw new Error(`${this.name} is running already, as process ${this.pid}`);
    await Promise.all((this.#spec.ports ?? []).map((port) => port.release()));
    await this.#spawn();
    const { signal } = this.#surroundings;
    await until(
      { what: `${this.name} to serve (log: ${this.logFile})`, withinMs: this.#spec.readyWithinMs ?? 30_000, signal },
      async () => {
        if (this.#child === undefined) throw new Hopeless(`${this.name} ended while it started:\n${this.#lastWords()}`);
        return this.#spec.ready();
      },
    );
    this.#serving = true;
  }

  /** Sends a signal; waits for the end when the signal is one that ends. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return this.#signalOther(signal, 60_000);
    if (ending.includes(signal)) this.#expected = true;
    child.kill(signal);
    if (ending.includes(signal)) await this.#gone;
  }

  /** Ends it in order, by force after `withinMs`. */
  async stop(withinMs = 10_000): Promise<void> {
    const child = this.#child;
    if (child === undefined) return this.#signalOther(this.#spec.stopSignal ?? 'SIGTERM', withinMs);
    this.#expected = true;
    child.kill(this.#spec.stopSignal ?? 'SIGTERM');
    // A frozen process does not see the signal before it is woken.
    child.kill('SIGCONT');
    const force = setTimeout(() => endGroup(child.pid), withinMs);
    await this.#gone;
    clearTimeout(force);
    endGroup(child.pid);
  }

  /** The one that somebody else has started. */
  async #signalOther(name: NodeJS.Signals, withinMs: number): Promise<void> {
    const pid = this.#spec.elsewhere?.();
    if (pid === undefined) return;
    signalled(pid, name);
    signalled(pid, 'SIGCONT');
    if (!ending.includes(name)) return;
    const ended = async () => this.#spec.elsewhere?.() !== pid;
    await until({ what: `${this.name} to end`, withinMs }, ended).catch(() => endGroup(pid));
  }

  /** Adds to the environment of all its further starts. */
  dress(env: Record<string, string>): void {
    this.#spec = { ...this.#spec, env: { ...this.#spec.env, ...env } };
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async #spawn(): Promise<void> {
    const { command, args, env, account, cwd } = this.#spec;
    const log = openSync(this.logFile, 'a', 0o644);
    try {
      // Its own session: Ctrl-C in the terminal must reach the demo alone, which then stops everything in order.
      const child = spawn(command, args, {
        detached: true,
        stdio: ['ignore', log, log],
        cwd: cwd ?? '/',
        env: childEnvironment(env ?? {}, account),
        ...(account?.ids ?? {}),
      });
      this.#child = child;
      this.#expected = false;
      this.#gone = new Promise((resolve) => {
        child.once('exit', (code, signal) => {
          this.#child = undefined;
          const inOrder = code === 0 && this.#spec.elsewhere !== undefined;
          const unasked = this.#serving && !this.#expected && !inOrder && !this.#surroundings.signal.aborted;
          this.#serving = false;
          if (unasked) this.#reportDeath(signal ?? `exit ${code}`);
          resolve();
        });
        child.once('error', () => {
          this.#child = undefined;
          resolve();
        });
      });
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve);
        child.once('error', (error) => reject(new Error(`${this.name} could not be started: ${error.message}`)));
      });
      await writeFile(this.#surroundings.pidFile, `${child.pid}\n`);
    } finally {
      closeSync(log);
    }
  }

  #reportDeath(how: string): void {
    this.#surroundings.say(
      `${this.name} ended by itself (${how}); the last lines of ${this.logFile}:\n${this.#lastWords()}`,
    );
  }

  #lastWords(): string {
    try {
      return lastLines(readFileSync(this.logFile, 'utf8'), 20);
    } catch {
      return '(no log)';
    }
  }
}

function signalled(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}

/** What the process started and did not end itself; its session is its own, so nothing else is in the group. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}
