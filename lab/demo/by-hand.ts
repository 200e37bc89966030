/** What somebody needs in a terminal to work in the estate by hand. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Estate } from '../estate.ts';
import { peopleFiles } from '../people.ts';
import { database } from '../postgres.ts';
import { labPersons } from '../slack/cast.ts';

/** For `lifeboat`, for `psql` through the front door, and the keys of the lab's people: `ANA_KEY`, `BEN_KEY`. */
export async function handEnvironment({ env, root, site, ports }: Estate): Promise<Record<string, string>> {
  const passfile = join(root, 'pgpass.of-the-shop');
  await writeFile(passfile, `*:*:*:orders:${site.secrets.orders}\n`, { mode: 0o600 });
  const { key } = peopleFiles(root);
  return {
    ...env,
    PGHOST: '127.0.0.1',
    PGPORT: String(ports.frontDoor),
    PGDATABASE: database,
    PGUSER: 'orders',
    PGPASSFILE: passfile,
    ...Object.fromEntries(labPersons.map((person) => [`${person.toUpperCase()}_KEY`, key(person)])),
  };
}
