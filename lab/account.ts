import { userInfo } from 'node:os';
import { execa } from 'execa';

/** The user that owns the databases. `ids` is given when it is not the caller. */
export interface Account {
  name: string;
  ids?: { uid: number; gid: number };
}

/** PostgreSQL refuses to run as root: then its own account is used; anybody else runs it as themselves. */
export async function databaseAccount(): Promise<Account> {
  if (process.getuid?.() !== 0) return { name: userInfo().username };
  const name = 'postgres';
  const [uid, gid] = await Promise.all([idOf('-u', name), idOf('-g', name)]);
  if (uid === undefined || gid === undefined)
    throw new Error(
      `PostgreSQL does not run as root and there is no user "${name}": run as another user, or create it with: useradd --system ${name}`,
    );
  return { name, ids: { uid, gid } };
}

async function idOf(flag: string, name: string): Promise<number | undefined> {
  const { stdout, failed } = await execa('id', [flag, name], { reject: false });
  return failed ? undefined : Number(stdout.trim());
}
