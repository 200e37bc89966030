import type { Following } from '../contract.ts';
import { resolveSecret } from '../secrets.ts';

/** How a tool of PostgreSQL connects to the primary: a password only by its environment, which nobody else can read. */
export async function connectionTo(
  { primary, replication }: Pick<Following, 'primary' | 'replication'>,
  database: string | undefined,
): Promise<{ words: string; env: Record<string, string> }> {
  const { user, passfile, password, options } = replication;
  const words: Record<string, string> = {
    host: primary.address,
    port: String(primary.port),
    user,
    ...(passfile === undefined ? {} : { passfile }),
    ...(database === undefined ? {} : { dbname: database }),
    ...options,
    application_name: 'lifeboat-rebuild',
  };
  return {
    words: Object.entries(words)
      .map(([name, value]) => `${name}='${value.replaceAll(/[\\']/g, '\\$&')}'`)
      .join(' '),
    env: password === undefined ? {} : { PGPASSWORD: await resolveSecret(password) },
  };
}
