/** Disasters of every kind on the estate's primary, and what the server itself said of each while it happened. */
import pg from 'pg';
import { type Server, seenWithin } from '../observer.ts';

export interface Noted {
  /** 32 bits, as the WAL has it. */
  transaction: number;
  /** As the server counted them: `DELETE 5000`. */
  rows: number;
}

/** The tables that will be hurt; each has as many rows as its name is told with. */
export const tables = `
  create schema hurt;
  create table hurt.deleted as select g as id, 'row ' || g as note from generate_series(1, 5000) g;
  create table hurt.updated as select g as id, 'row ' || g as note from generate_series(1, 4000) g;
  create table hurt.emptied as select g as id, 'row ' || g as note from generate_series(1, 3000) g;
  create table hurt.dropped as select g as id, repeat('x', 3000) || g as note from generate_series(1, 2000) g;
  create table hurt.rewritten as select g as id, 'row ' || g as note from generate_series(1, 2000) g;
  create index on hurt.rewritten (id);
  create table hurt.spared as select g as id from generate_series(1, 5000) g;
  create table hurt.parts as select g as id from generate_series(1, 3000) g;
  create table hurt.prepared as select g as id from generate_series(1, 2500) g;
  create table hurt.split (id int, part int) partition by list (part);
  create table hurt.split_1 partition of hurt.split for values in (1);
  create table hurt.split_2 partition of hurt.split for values in (2);
  create table hurt.split_3 partition of hurt.split for values in (3);
  insert into hurt.split select g, 1 + g % 3 from generate_series(1, 2100) g;
  create table hurt.lightly as select g as id from generate_series(1, 500) g;`;

export class Hand {
  readonly #client: pg.Client;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  static async at(server: Server): Promise<Hand> {
    const client = new pg.Client({ user: 'postgres', database: 'orders', ...server });
    client.on('error', () => undefined);
    await client.connect();
    return new Hand(client);
  }

  async sql(text: string): Promise<Record<string, string>[]> {
    return (await this.#client.query<Record<string, string>>(text)).rows;
  }

  /** Several statements as one transaction; the rows are those of the first. `end` is its last statement. */
  async transaction(statements: string[], end = 'commit'): Promise<Noted> {
    await this.#client.query('begin');
    let rows = 0;
    for (const [index, text] of statements.entries()) {
      const { rowCount } = await this.#client.query(text);
      if (index === 0) rows = rowCount ?? 0;
    }
    const [xid] = await this.sql('select mod(pg_current_xact_id()::text::bigint, 4294967296)::text as xid');
    await this.#client.query(end);
    return { transaction: Number(xid?.xid), rows };
  }

  async now(): Promise<string> {
    const [row] = await this.sql(
      `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as now`,
    );
    return row?.now ?? '';
  }

  /** Everything that was committed so far is in the archive, as the server says. */
  async archived(): Promise<void> {
    const [row] = await this.sql('select pg_walfile_name(pg_switch_wal()) as segment');
    const segment = row?.segment ?? '';
    await seenWithin(
      `segment ${segment} is archived`,
      30_000,
      async () => (await this.sql('select last_archived_wal as wal from pg_stat_archiver'))[0]?.wal ?? '',
      (wal) => wal >= segment,
    );
  }

  async end(): Promise<void> {
    await this.#client.end();
  }
}

export type Kind =
  | 'deleted'
  | 'updated'
  | 'emptied'
  | 'dropped'
  | 'rewritten'
  | 'spared'
  | 'parts'
  | 'prepared'
  | 'split'
  | 'lightly'
  | 'refilled';

/** One after the other, in this order. */
export async function happen(hand: Hand): Promise<Record<Kind, Noted>> {
  const deleted = await hand.transaction(['delete from hurt.deleted']);
  const updated = await hand.transaction([`update hurt.updated set note = 'oops'`]);
  const emptied = await hand.transaction(['truncate hurt.emptied']);
  const dropped = await hand.transaction(['drop table hurt.dropped']);
  const spared = await hand.transaction(['delete from hurt.spared'], 'rollback');
  await hand.sql('vacuum full hurt.rewritten');
  const parts = await hand.transaction([
    'delete from hurt.parts where id <= 600',
    ...['savepoint a', 'delete from hurt.parts where id <= 1500', 'savepoint b', 'delete from hurt.parts'],
    ...['rollback to b', 'delete from hurt.parts where id <= 1600'],
  ]);
  const prepared = await hand.transaction(['delete from hurt.prepared'], `prepare transaction 'a name; subxacts: 1 2'`);
  await hand.sql(`commit prepared 'a name; subxacts: 1 2'`);
  const split = await hand.transaction(['delete from hurt.split']);
  const lightly = await hand.transaction(['delete from hurt.lightly']);
  const refilled = await hand.transaction([
    'truncate hurt.deleted',
    'insert into hurt.deleted select g, $$new$$ from generate_series(1, 7) g',
  ]);
  return {
    deleted,
    updated,
    emptied,
    dropped,
    rewritten: { transaction: 0, rows: 0 },
    spared,
    parts,
    prepared,
    split,
    lightly,
    refilled,
  };
}
