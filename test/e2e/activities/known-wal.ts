/** A small estate whose WAL holds one of each thing that a target can mean, and what the server itself said of each. */
import { join } from 'node:path';
import { Client } from 'pg';
import { bin, type SmallEstate, until } from './small-estate.ts';

export interface KnownWal {
  /** Of the backup. */
  label: string;
  /** A moment between two commits: rows 1 to 101 of `kept` are there, 102 is not. */
  between: string;
  /** Numbers of transactions, 32 bits. */
  transactions: {
    /** Has inserted row 102. */
    inserts: number;
    rolledBack: number;
    /** Rows 103 and 104, the latter in a savepoint. */
    whole: number;
    savepoint: number;
    /** Row 105, prepared, and committed when 106 was there. */
    prepared: number;
    /** Row 107, prepared and left so. */
    open: number;
    /** All rows. */
    deletes: number;
    /** The database `doomed`. */
    drops: number;
  };
  /** pg_current_wal_insert_lsn() just before the rows were deleted. */
  beforeDelete: string;
  /** As pg_create_restore_point() returned them: where their records end. */
  points: { deploy: string; first: string; second: string };
  /** A commit that came later in the WAL than one with a later time. */
  late: { at: string; transaction: number };
  /** After the last commit; nothing was committed then. */
  idle: string;
}

export async function makeKnownWal(estate: SmallEstate): Promise<KnownWal> {
  await estate.sql('alter system set max_prepared_transactions = 5');
  // It would commit, too.
  await estate.sql('alter system set autovacuum = off');
  const data = ['-D', estate.member.dataDirectory, '-l', join(estate.root, 'log/server.log')];
  await estate.run(join(bin, 'pg_ctl'), ...data, '-m', 'fast', '-w', 'restart');
  await estate.sql('create table kept (id int primary key); create table hammered (id int)');
  await estate.sql('insert into kept select generate_series(1, 100)');
  await estate.sql('create database doomed');
  await estate.sql(`select pg_create_restore_point('early')`);
  const label = await estate.backup();
  const session = new Session(estate);
  await session.open();
  try {
    return { label, ...(await sequence(estate, session)) };
  } finally {
    await session.close();
  }
}

async function sequence(estate: SmallEstate, session: Session): Promise<Omit<KnownWal, 'label'>> {
  const late = await hammered(estate, session);
  const first = await session.point('twice');
  await session.sql('insert into kept values (101)');
  const between = await session.now();
  const inserts = await session.transaction(['insert into kept values (102)']);
  const rolledBack = await session.transaction(['insert into kept values (999)'], 'rollback');
  const parts = ['insert into kept values (103)', 'savepoint part', 'insert into kept values (104)'];
  const whole = await session.transaction(parts);
  const savepoint = Number((await session.sql('select xmin::text as xid from kept where id = 104'))[0]?.xid);
  const prepared = await session.transaction(['insert into kept values (105)'], `prepare transaction 'paid: 2026'`);
  await session.sql('insert into kept values (106)');
  await session.sql(`commit prepared 'paid: 2026'`);
  const deploy = await session.point('before the Größte deploy');
  const beforeDelete = await session.position();
  const deletes = await session.transaction(['delete from kept']);
  await estate.archiveSegment();
  const drops = await dropped(estate, session);
  const second = await session.point('twice');
  await session.sql('insert into kept values (201)');
  const open = await session.transaction(['insert into kept values (107)'], `prepare transaction 'left'`);
  const idle = await session.now();
  await estate.archiveSegment();
  return {
    between,
    transactions: { inserts, rolledBack, whole, savepoint, prepared, open, deletes, drops },
    beforeDelete,
    points: { deploy, first, second },
    late,
    idle,
  };
}

/** Its transaction is told by the WAL alone. */
async function dropped(estate: SmallEstate, session: Session): Promise<number> {
  const from = await session.position();
  await session.sql('drop database doomed');
  const xid = /tx: +(\d+),.*DROP dir/.exec(await waldump(estate, session, from, 'Database'))?.[1];
  return Number(xid);
}

/** Many sessions commit at once, until one that took its time first has come last. */
async function hammered(estate: SmallEstate, session: Session): Promise<KnownWal['late']> {
  let late: KnownWal['late'] | undefined;
  await until('a commit overtakes another', async () => {
    const from = await session.position();
    const script = join(estate.root, 'log', 'hammer.sql');
    await estate.run('sh', '-c', `echo 'insert into hammered values (1);' > ${script}`);
    const words = ['-n', '-c', '8', '-j', '2', '-t', '300', '-f', script, '-h', join(estate.root, 'socket')];
    await estate.run(join(bin, 'pgbench'), ...words, '-U', 'postgres', 'postgres');
    late = overtaken(await waldump(estate, session, from, 'Transaction'));
    return late !== undefined;
  });
  if (late === undefined) throw new Error('no commit overtook another');
  return late;
}

function overtaken(dump: string): KnownWal['late'] | undefined {
  let newest = '';
  for (const line of dump.split('\n')) {
    const [, xid, day, time] = /tx: +(\d+),.*desc: COMMIT (\S+) (\S+) UTC/.exec(line) ?? [];
    if (xid === undefined) continue;
    const at = `${day}T${time}Z`;
    if (at < newest) return { at, transaction: Number(xid) };
    newest = at;
  }
  return undefined;
}

async function waldump(estate: SmallEstate, session: Session, from: string, manager: string): Promise<string> {
  const wal = join(estate.member.dataDirectory, 'pg_wal');
  const words = ['-p', wal, '-s', from, '-e', await session.flushed(), '-r', manager];
  return estate.run('env', 'TZ=UTC', join(bin, 'pg_waldump'), ...words);
}

class Session {
  readonly #client: Client;

  constructor(estate: SmallEstate) {
    const place = { host: join(estate.root, 'socket'), port: 5432 };
    this.#client = new Client({ ...place, user: 'postgres', database: 'postgres' });
    this.#client.on('error', () => undefined);
  }

  open(): Promise<unknown> {
    return this.#client.connect();
  }

  close(): Promise<void> {
    return this.#client.end();
  }

  async sql(text: string): Promise<Record<string, string>[]> {
    return (await this.#client.query<Record<string, string>>(text)).rows;
  }

  async transaction(statements: string[], end = 'commit'): Promise<number> {
    await this.#client.query('begin');
    for (const text of statements) await this.#client.query(text);
    const [row] = await this.sql('select mod(pg_current_xact_id()::text::bigint, 4294967296)::text as xid');
    await this.#client.query(end);
    return Number(row?.xid);
  }

  async point(name: string): Promise<string> {
    return (await this.sql(`select pg_create_restore_point('${name}')::text as lsn`))[0]?.lsn ?? '';
  }

  async position(): Promise<string> {
    return (await this.sql('select pg_current_wal_insert_lsn()::text as lsn'))[0]?.lsn ?? '';
  }

  async flushed(): Promise<string> {
    return (await this.sql('select pg_current_wal_flush_lsn()::text as lsn'))[0]?.lsn ?? '';
  }

  async now(): Promise<string> {
    const text = `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as now`;
    return (await this.sql(text))[0]?.now ?? '';
  }
}
