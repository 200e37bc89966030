/** The pulse of one service: what one of its clients experiences, once a second. */
import { type Client, DatabaseError } from 'pg';
import type { Logger } from 'pino';
import { closeDatabase, databaseFailure, openDatabase } from '../../activities/postgres/front-door.ts';
import { type Acknowledged, highestNumber, newestAcknowledged } from '../../activities/pulse/log.ts';
import type { Plan, PulseSettings } from '../../plan/schema.ts';
import type { LogWriter } from './log-writer.ts';
import { deleteOlderThan, ensureTable, highestInTable, holdsOlderThan } from './table.ts';

/** Milliseconds: a server that hangs costs a few beats, and they count as not acknowledged. */
const patience = { connectMs: 2_000, statementMs: 2_000 };
const cleanEveryBeats = 60;

/** What the beat came to, for the process's own log. */
type Health = 'unknown' | 'beating' | 'failing';

/** Hears of each beat, and at the start of the newest one that the log knows. */
export interface Listener {
  acknowledged(pulse: Acknowledged): void;
  failed(): void;
  remembered(pulse: Acknowledged): void;
}

export class Pulse {
  readonly #plan: Plan;
  readonly #settings: PulseSettings;
  readonly #log: LogWriter;
  readonly #logger: Logger;
  readonly #listener: Listener | undefined;
  #client: Client | undefined;
  #highest = 0;
  #beats = 0;
  #health: Health = 'unknown';

  constructor(plan: Plan, settings: PulseSettings, log: LogWriter, logger: Logger, listener?: Listener) {
    this.#plan = plan;
    this.#settings = settings;
    this.#log = log;
    this.#logger = logger;
    this.#listener = listener;
  }

  /** The log may know numbers that the database has lost. */
  async resume(): Promise<void> {
    this.#highest = await highestNumber(this.#settings.log, this.#plan.service);
    if (this.#listener === undefined) return;
    const newest = await newestAcknowledged(this.#settings.log, this.#plan.service);
    if (newest !== undefined) this.#listener.remembered(newest);
  }

  /** One write, acknowledged or not; never throws. */
  async beat(): Promise<void> {
    const sent: { number?: number } = {};
    try {
      const client = await this.#connection();
      this.#highest += 1;
      sent.number = this.#highest;
      const acknowledged = await write(client, sent.number);
      this.#listener?.acknowledged(acknowledged);
      await this.#keep(() => this.#log.append(acknowledged));
      if (acknowledged.lsn === undefined) this.#disconnect();
      this.#say('beating', `pulse ${acknowledged.number} acknowledged`);
      await this.#cleanUp(client, acknowledged.at);
    } catch (error) {
      this.#disconnect();
      this.#listener?.failed();
      await this.#keep(() => this.#noteFailure(error, sent.number));
    }
  }

  async close(): Promise<void> {
    this.#disconnect();
    await this.#log.close();
  }

  /** After a failure always a new connection: nobody knows what the old one still has under way. */
  async #connection(): Promise<Client> {
    if (this.#client !== undefined) return this.#client;
    const door = this.#plan.database.frontDoor;
    const client = await openDatabase(door, 'pulse', patience);
    try {
      // Where commits are not waited for, an acknowledgement would promise nothing.
      await client.query(
        "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'",
      );
      await ensureTable(client, door);
      this.#highest = Math.max(this.#highest, await highestInTable(client));
    } catch (error) {
      closeDatabase(client);
      throw error;
    }
    this.#client = client;
    return client;
  }

  #disconnect(): void {
    if (this.#client !== undefined) closeDatabase(this.#client);
    this.#client = undefined;
  }

  async #noteFailure(error: unknown, number: number | undefined): Promise<void> {
    const why = databaseFailure(error, this.#plan.database.frontDoor).message;
    this.#say('failing', why);
    const unknown = number !== undefined && !isRefusal(error);
    await this.#log.append({
      failed: true,
      at: new Date().toISOString(),
      clock: 'own',
      error: why,
      ...(number === undefined ? {} : { number }),
      ...(unknown ? { unknown: true } : {}),
    });
  }

  /** A log that cannot be written must not stop the pulse: it would look like an outage of the database. */
  async #keep(append: () => Promise<void>): Promise<void> {
    try {
      await append();
    } catch (error) {
      this.#logger.error(
        { service: this.#plan.service, err: error },
        `the log in ${this.#settings.log} cannot be written: what is acknowledged now will not be measured. Make room there.`,
      );
    }
  }

  /** `before` is written down first: a row that is gone must never look like one that was lost. */
  async #cleanUp(client: Client, now: string): Promise<void> {
    this.#beats += 1;
    if (this.#beats % cleanEveryBeats !== 1) return;
    const before = new Date(Date.parse(now) - this.#settings.keep).toISOString();
    try {
      if (await holdsOlderThan(client, before)) {
        await this.#log.append({ forgotten: before });
        await deleteOlderThan(client, before);
      }
      await this.#log.removeOld(this.#settings.keep);
    } catch (error) {
      this.#disconnect();
      this.#logger.warn(
        { service: this.#plan.service, err: error },
        'old pulses could not be removed; the next try is in a minute',
      );
    }
  }

  #say(health: Health, what: string): void {
    if (health === this.#health) return;
    this.#health = health;
    const fields = { service: this.#plan.service };
    if (health === 'beating') this.#logger.info(fields, what);
    else this.#logger.warn(fields, `not acknowledged: ${what}`);
  }
}

/** The position is read on the same connection after the commit: all that was committed lies before it. */
async function write(client: Client, number: number): Promise<Acknowledged> {
  const { rows } = await client.query<{ at: string }>({
    name: 'pulse',
    text: `insert into lifeboat.pulse (number) values ($1)
      returning to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at`,
    values: [number],
  });
  const acknowledged = { number, at: rows[0]?.at ?? new Date().toISOString() };
  try {
    return { ...acknowledged, ...(await position(client)) };
  } catch {
    // It was acknowledged all the same; only where it lies in the WAL is not known.
    return acknowledged;
  }
}

async function position(client: Client): Promise<{ lsn?: string; timeline?: number }> {
  const { rows } = await client.query<{ lsn: string; timeline: number }>({
    name: 'position',
    text: `select pg_current_wal_lsn()::text as lsn,
      ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int as timeline`,
  });
  const [row] = rows;
  return row === undefined ? {} : { lsn: row.lsn, timeline: row.timeline };
}

/**
 * The server itself said no, so nothing was committed. Not so when it ends the session (class 57P) or its connection breaks (08):
 * that can happen after the commit and before its acknowledgement.
 */
function isRefusal(error: unknown): boolean {
  return error instanceof DatabaseError && !/^(57P|08)/.test(error.code ?? '08');
}
