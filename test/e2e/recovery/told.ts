/** An application that is told by a command of its own, and keeps a note of what that command saw each time it was run. */
import { chmod, chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hosts } from '../../../lab/layout.ts';
import { database } from '../../../lab/postgres.ts';
import type { Scenario } from '../drill/scenario.ts';
import { inYaml } from '../in-yaml.ts';

/** What it was told: to stop writing, to write again, to try whether it works. */
type Word = 'stop' | 'go' | 'try';

export interface Note {
  word: Word;
  /** Timeline and rows of the watched table, through the front door; `closed` when nobody is let in. */
  door: string;
  /** The same of the server that it was to try. */
  tried: string;
  /** Directories of restored servers, on all hosts. */
  beside: number;
}

export interface Told {
  /** Since it was asked last. */
  notes(): Promise<Note[]>;
  /** From now on it ends badly when it hears this word. */
  fail(word: Word): Promise<void>;
  mend(word: Word): Promise<void>;
}

/** It runs on db2, and on whichever host is to be tried. @param table whose rows it counts; the role of the service must be able to */
export async function tellByCommand({ estate }: Scenario, table: string): Promise<Told> {
  const { site, root } = estate;
  const { account, layout } = site;
  const folder = join(root, 'application');
  const notes = join(folder, 'notes');
  await mkdir(folder);
  await writeFile(notes, '');
  for (const path of [folder, notes]) if (account.ids) await chown(path, account.ids.uid, account.ids.gid);
  const command = join(root, 'bin', 'orders-application');
  await writeFile(command, textOf({ estate }, { folder, notes, table }));
  await chmod(command, 0o755);
  for (const host of hosts) await inYaml(layout.host(host).permit, { commands: [layout.smoke, command] });
  await inYaml(estate.planFile, {
    'application.quiesce': { command: [command, 'stop'], host: 'db2' },
    'application.resume': { command: [command, 'go'], host: 'db2' },
    'application.smoke': { command: [command, 'try'], within: '2m', live: true },
  });
  let read = 0;
  return {
    notes: async () => {
      const lines = (await readFile(notes, 'utf8')).split('\n').filter(Boolean);
      const since = lines.slice(read);
      read = lines.length;
      return since.map(noteOf);
    },
    fail: (word) => writeFile(join(folder, `fails-to-${word}`), ''),
    mend: (word) => rm(join(folder, `fails-to-${word}`)),
  };
}

function textOf({ estate }: Pick<Scenario, 'estate'>, at: { folder: string; notes: string; table: string }): string {
  const { site, ports, servers } = estate;
  const psql = `${join(site.programs.postgresql, 'psql')} -XAtc "select timeline_id, (select count(*) from ${at.table}) from pg_control_checkpoint()"`;
  const door = `host=127.0.0.1 port=${ports.frontDoor} dbname=${database} user=orders connect_timeout=5`;
  const scratch = hosts.map((host) => servers[host].scratch).join(' ');
  return `#!/bin/sh
door=$(PGPASSWORD=${site.secrets.orders} ${psql} '${door}' 2>/dev/null) || door=closed
if [ "$1" = try ]; then tried=$(${psql}) || tried=closed; fi
beside=$(find ${scratch} -mindepth 1 -maxdepth 1 | wc -l)
echo "$1;$door;$tried;$beside" >>${at.notes}
if [ -e "${at.folder}/fails-to-$1" ]; then echo "it does not $1"; exit 1; fi
echo "it has heard $1"
`;
}

function noteOf(line: string): Note {
  const [word = '', door = '', tried = '', beside = ''] = line.split(';');
  return { word: word as Word, door, tried, beside: Number(beside) };
}
