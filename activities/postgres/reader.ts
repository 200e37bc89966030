import type { Client } from 'pg';
import { all } from './session.ts';

/**
 * A role that may log in and read every table, and can become nobody else: what runs as it cannot end a recovery, read files or start
 * programs, whatever the statement is. `undefined` where the database has none.
 *
 * A superuser's session that has only set its role would not do: set_config('role', 'none', true) takes it back in mid-statement.
 */
export async function readerOf(client: Client): Promise<string | undefined> {
  const [found] = await all(client, question);
  return found?.name ?? undefined;
}

const question = `
  with usable as (
    select r.oid, r.rolname, r.rolbypassrls from pg_roles r
    where r.rolcanlogin and not r.rolsuper and not r.rolreplication and not r.rolcreaterole
      and has_database_privilege(r.oid, current_database(), 'connect')
      and not has_function_privilege(r.oid, 'pg_wal_replay_resume()', 'execute')
      and not has_function_privilege(r.oid, 'pg_promote(boolean, integer)', 'execute')
      and not exists (
        select from pg_roles other
        where (other.rolsuper or other.rolname in
            ('pg_execute_server_program', 'pg_write_server_files', 'pg_read_server_files', 'pg_signal_backend'))
          and pg_has_role(r.oid, other.oid, 'member'))
  ), tables as (
    select c.oid, c.relnamespace, c.relrowsecurity from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'm', 'v') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  )
  select rolname::text as name from usable u
  where not exists (
    select from tables t
    where not has_schema_privilege(u.oid, t.relnamespace, 'usage') or not has_table_privilege(u.oid, t.oid, 'select')
      or (t.relrowsecurity and not u.rolbypassrls))
  order by rolname limit 1`;
