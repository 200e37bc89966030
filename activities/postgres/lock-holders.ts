/** Who keeps others from locking tables: for people who must decide what to end. */
import type { Client } from 'pg';
import { all, type Row } from './session.ts';

/** Modes that a SHARE lock waits for. @see PostgreSQL documentation, "Conflicting Lock Modes" */
const conflicting = [
  'RowExclusiveLock',
  'ShareUpdateExclusiveLock',
  'ShareRowExclusiveLock',
  'ExclusiveLock',
  'AccessExclusiveLock',
];

/** A prepared transaction has no process: it is named by itself. Never the statement, which holds people's data. */
const question = `
  select distinct on (coalesce(l.pid::text, l.virtualtransaction))
    l.pid::text as pid, a.usename as role, nullif(a.application_name, '') as application, a.state, l.mode, l.relation::regclass::text as table,
    round(extract(epoch from clock_timestamp() - a.xact_start))::text as seconds
  from pg_locks l left join pg_stat_activity a on a.pid = l.pid
  where l.granted and l.relation = any (select to_regclass(name) from unnest($1::text[]) name)
    and l.mode = any ($2::text[]) and l.pid is distinct from pg_backend_pid()
  order by coalesce(l.pid::text, l.virtualtransaction), a.xact_start`;

/** @param tables quoted and with their schema */
export async function holdersOf(client: Client, tables: string[]): Promise<string> {
  const rows = await all(client, question, [tables, conflicting]);
  if (rows.length === 0) return 'whoever held one of them has ended meanwhile';
  const oldest = rows.sort((a, b) => Number(b.seconds ?? 0) - Number(a.seconds ?? 0));
  const more = rows.length > 3 ? `, and ${rows.length - 3} more` : '';
  return `${oldest.slice(0, 3).map(say).join('; ')}${more}`;
}

function say({ pid, role, application, state, mode, table, seconds }: Row): string {
  if (pid == null) return `a prepared transaction (pg_prepared_xacts) holds ${mode} on ${table}`;
  const who = [application, `role ${role}`, state].filter(Boolean).join(', ');
  return `process ${pid} (${who}) holds ${mode} on ${table}, in a transaction that is ${seconds ?? '?'} s old`;
}
