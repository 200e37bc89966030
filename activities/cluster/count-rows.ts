import type { Member } from '../../plan/schema.ts';
import type { RowCount } from '../contract.ts';
import { failure } from '../failure.ts';
import { socketOf } from '../postgres/live-member.ts';
import { one, withSession } from '../postgres/session.ts';
import type { Found } from '../shapes.ts';

/** What the tables of a live server hold now, all in one snapshot. @throws PlanInvalid a table is not there */
export async function countRows(ask: {
  member: Member;
  database: string;
  tables: string[];
}): Promise<Found & { tables: RowCount[] }> {
  const { place } = await socketOf(ask.member);
  const progress = { table: '' };
  const tables = await withSession(
    place,
    ask.database,
    'count-rows',
    async (client) => {
      await client.query('begin isolation level repeatable read read only; set local row_security = off');
      const counted: RowCount[] = [];
      for (const name of ask.tables) {
        progress.table = name;
        const { table } = await one(
          client,
          `select (select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
                   where c.oid = to_regclass($1)) as table`,
          [name],
        );
        if (table == null)
          throw failure(
            'PlanInvalid',
            `the database on ${ask.member.host} has no table ${name}. If it was dropped, take it out of database.criticalTables for this recovery.`,
          );
        const { rows } = await one(client, `select count(*)::text as rows from ${table}`);
        counted.push({ table, rows: Number(rows) });
      }
      await client.query('commit');
      return counted;
    },
    () => ({ counting: progress.table }),
  );
  return { tables, found: tables.map(({ table, rows }) => `${table}: ${rows} rows`).join(', ') };
}
