/** The demo's third act: a table loses its rows under load; the moment is found, and the service recovered to just before it. */
import type { Evidence } from '../../evidence/evidence.ts';
import { formatCount } from '../../evidence/format.ts';
import { renderSearch } from '../../evidence/render/terminal/search.ts';
import { countSentence } from '../../evidence/search.ts';
import type { Estate } from '../estate.ts';
import { peopleFiles } from '../people.ts';
import { database, withServer } from '../postgres.ts';
import type { LabPerson } from '../slack/cast.ts';
import { until } from '../until.ts';
import { type LiveDemo, liveRun, requester, second } from './people-asked.ts';
import { drawRunName, ended, startRun } from './runs.ts';

/** Of payments nothing else depends, so that nothing keeps anybody from it. */
const mistake = 'delete from payments';

/** Customers go on for so long before anybody notices. */
const unnoticedMs = 8_000;

interface Disaster {
  deleted: number;
  /** Of the mistake's transaction, by the database's clock. */
  at: string;
}

export async function disasterOn(demo: LiveDemo): Promise<Evidence> {
  const { board, estate } = demo;
  const disaster: { done?: Disaster } = {};
  await board.line('disaster', `somebody says "${mistake}", without a WHERE`, async () => {
    disaster.done = await makeMistake(estate);
    return `${formatCount(disaster.done.deleted)} payments are gone; customers go on buying`;
  });
  await board.line('noticed', 'until somebody notices, and the archive has it', () => noticed(demo));
  const target = await moment(demo);
  const evidence = await liveRun(demo, 'point-in-time-recovery', { target } as object);
  if (disaster.done !== undefined) await say(demo, evidence, disaster.done);
  return evidence;
}

async function makeMistake({ site }: Estate): Promise<Disaster> {
  return withServer(site, 'db1', database, async (client) => {
    await client.query('begin');
    const { rowCount } = await client.query(mistake);
    const { rows } = await client.query<{ at: string }>(
      `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at`,
    );
    await client.query('commit');
    return { deleted: rowCount ?? 0, at: rows[0]?.at ?? '' };
  });
}

async function noticed({ estate, signal }: LiveDemo): Promise<string> {
  const since = performance.now();
  const asked = <T extends object>(sql: string, values: unknown[] = []) =>
    withServer(estate.site, 'db1', database, async (client) => (await client.query<T>(sql, values)).rows[0]);
  const before = await asked<{ wal: string }>('select pg_walfile_name(pg_current_wal_lsn()) as wal');
  await until({ what: 'the archive to hold the mistake', withinMs: 120_000, everyMs: 250, signal }, async () => {
    const row = await asked<{ passed: boolean }>('select last_archived_wal > $1 as passed from pg_stat_archiver', [
      before?.wal,
    ]);
    return performance.now() - since > unnoticedMs && row?.passed;
  });
  const paid = await asked<{ count: string }>('select count(*) from payments');
  return `${formatCount(Number(paid?.count))} payments were made since, which a recovery to before it will lose`;
}

/** What `lifeboat find` does: the first finding that names the table. */
async function moment({ client, board, signal }: LiveDemo): Promise<string> {
  const run = drawRunName();
  const found: { target?: string } = {};
  await board.line('find', 'searching the archived WAL for the transaction that did it', async () => {
    const input = { service: 'orders', mode: 'live', requestedBy: requester, table: 'payments' } as const;
    const evidence = await ended(await startRun(client, 'find', run, input), signal);
    const finding = evidence.search?.findings[0];
    if (evidence.search === undefined || finding === undefined)
      throw new Error(`the search ${evidence.outcome}: ${evidence.failure?.message ?? 'nothing was found'}`);
    for (const line of renderSearch(evidence.search, { service: 'orders', run }).split('\n')) board.say(`    ${line}`);
    found.target = `before ${finding.target.lsn}`;
    return countSentence(evidence.search);
  });
  if (found.target === undefined) throw new Error('the search has told no target');
  return found.target;
}

/** What the recovered server says, not the run. */
async function say({ estate, board }: LiveDemo, evidence: Evidence, { deleted }: Disaster): Promise<void> {
  const payments = await withServer(estate.site, 'db1', database, async (client) => {
    const { rows } = await client.query<{ count: string }>('select count(*) from payments');
    return Number(rows[0]?.count);
  }).catch(() => undefined);
  board.say('');
  board.say(
    payments === undefined
      ? '  Now      db1 does not answer'
      : `  Now      ${formatCount(payments)} payments on db1; ${formatCount(deleted)} had been deleted (${evidence.outcome})`,
  );
}

/** What somebody may type while the estate stays up. */
export function disasterHints({ root }: Estate): string[] {
  const as = (person: LabPerson) => `--as ${person} --key ${peopleFiles(root).key(person)}`;
  return [
    `find orders --table payments    # which transaction did it`,
    `start point-in-time-recovery orders --mode live ${as(requester)} --input '{"target": "before LSN"}'`,
    `approve RUN ${as(second)}    # in another terminal: RUN is what "status" says that waits`,
  ];
}
