/** Damages a WAL archive as it lies on the store's disk, with tools of its own; every damage can be mended. */
import { copyFile, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { stanza } from '../../../lab/backrest.ts';
import { command } from '../../../lab/command.ts';
import type { Estate } from '../../../lab/estate.ts';
import { giveTo } from '../../../lab/host.ts';
import { flip } from '../flip.ts';

export type Mend = () => Promise<void>;

export interface Vandal {
  /** Names of the archived segments of a timeline, as they lie on the disk. */
  segments(timeline: number): Promise<string[]>;
  /** Removes what begins with this name: a segment, a history file. */
  takeAway(name: string): Promise<Mend>;
  /** Removes every segment and history file of the cluster. */
  takeAllWal(): Promise<Mend>;
  /** Stores the content of one segment once more, under another name, or with another checksum. */
  storeAs(segment: string, name: string, checksum?: string): Promise<Mend>;
  /** Stores a segment of the same name that another cluster wrote. */
  storeForeign(segment: string): Promise<Mend>;
  /** Stores a timeline history file with this text. */
  storeHistory(timeline: number, text: string): Promise<Mend>;
  storeStranger(path: string): Promise<Mend>;
  /** Inverts a byte in the middle of a stored segment. */
  flip(segment: string): Promise<Mend>;
}

const hex = (value: number): string => value.toString(16).toUpperCase().padStart(8, '0');

export function vandalOf({ site, root, servers }: Estate): Vandal {
  const archive = join(site.layout.store, 'objects', 'backups', 'pgbackrest', 'archive', stanza, '15-1');
  const kept = () => mkdtemp(join(root, 'kept-'));
  const asAccount = (file: string, args: string[]) => command(file, args, { account: site.account });
  const folderOf = (name: string) => (/^[0-9A-F]{24}/.test(name) ? join(archive, name.slice(0, 16)) : archive);
  const fileOf = async (name: string): Promise<string> => {
    const found = (await readdir(folderOf(name))).find((one) => one === name || one.startsWith(`${name}-`));
    if (found === undefined) throw new Error(`${name} is not in the archive`);
    return join(folderOf(name), found);
  };
  const takeAway = async (name: string): Promise<Mend> => {
    const file = await fileOf(name);
    const away = join(await kept(), basename(file));
    await rename(file, away);
    return () => rename(away, file);
  };
  /** Through pgBackRest, so that it is encrypted and named as the stanza's own; its check of the header is told to be silent. */
  const push = async (file: string): Promise<Mend> => {
    await giveTo(site.account, file);
    await asAccount(site.programs.pgbackrest, [
      ...[`--config=${site.layout.host('db1').backupConfiguration}`, `--stanza=${stanza}`, '--no-archive-header-check'],
      ...[`--pg1-path=${servers.db2.data}`, 'archive-push', file],
    ]);
    const stored = await fileOf(basename(file));
    return () => rm(stored);
  };
  const ownFolder = async (): Promise<string> => {
    const folder = await kept();
    await giveTo(site.account, folder);
    return folder;
  };
  return {
    takeAway,
    async takeAllWal() {
      const away = await kept();
      const names = await readdir(archive);
      for (const name of names) await rename(join(archive, name), join(away, name));
      return async () => {
        for (const name of names) await rename(join(away, name), join(archive, name));
      };
    },
    async segments(timeline) {
      const folders = (await readdir(archive)).filter(
        (name) => name.startsWith(hex(timeline)) && /^[0-9A-F]{16}$/.test(name),
      );
      const names = await Promise.all(folders.map((folder) => readdir(join(archive, folder))));
      return names
        .flat()
        .flatMap((name) => /^([0-9A-F]{24})-[0-9a-f]{40}/.exec(name)?.[1] ?? [])
        .sort();
    },
    async storeAs(segment, name, checksum) {
      const file = await fileOf(segment);
      const own = /-([0-9a-f]{40})/.exec(basename(file))?.[1] ?? '';
      const copy = join(
        folderOf(name),
        basename(file)
          .replace(segment, name)
          .replace(own, checksum ?? own),
      );
      await mkdir(dirname(copy), { recursive: true });
      await copyFile(file, copy);
      return () => rm(copy);
    },
    async storeForeign(segment) {
      const folder = await ownFolder();
      const data = join(folder, 'data');
      const binary = (name: string) => join(site.programs.postgresql, name);
      await asAccount(binary('initdb'), ['-D', data, '-U', 'postgres', '--wal-segsize=1', '--no-sync']);
      await asAccount(binary('pg_resetwal'), ['-f', '-l', segment, data]);
      return push(join(data, 'pg_wal', segment));
    },
    async storeHistory(timeline, text) {
      const file = join(await ownFolder(), `${hex(timeline)}.history`);
      await writeFile(file, text);
      return push(file);
    },
    async storeStranger(path) {
      const file = join(archive, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, 'nobody knows what this is\n');
      return () => rm(file);
    },
    async flip(segment) {
      const file = await fileOf(segment);
      return flip(file, Math.floor((await stat(file)).size / 2));
    },
  };
}
