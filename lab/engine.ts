import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Connection } from '@temporalio/client';
import { searchAttributes } from '../workflows/messages.ts';
import { command } from './command.ts';
import { launch, type Site } from './site.ts';

export const namespace = 'default';

export function engineAddress(site: Site): string {
  return `127.0.0.1:${site.ports.engine.number}`;
}

/** The Temporal dev server with its UI and a database file, so that runs outlive its death. */
export async function startEngine(site: Site, ui: boolean): Promise<void> {
  await mkdir(dirname(site.layout.engineFile), { recursive: true });
  const quiet = (await knowsNewsFlag(site)) ? ['--ui-disable-news-fetch'] : [];
  await launch(site, {
    name: 'engine',
    command: site.programs.temporal,
    args: [
      ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(site.ports.engine.number)],
      ...(ui ? ['--ui-port', String(site.ports.ui.number), ...quiet] : ['--headless']),
      ...['--db-filename', site.layout.engineFile, '--log-level', 'error'],
      // A killed server loses nothing by this, only a machine without power would.
      ...['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=off'],
      ...Object.values(searchAttributes).flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
    ],
    ports: [site.ports.engine, site.ports.ui],
    ready: () => answers(engineAddress(site)),
  });
}

async function knowsNewsFlag(site: Site): Promise<boolean> {
  const help = await command(site.programs.temporal, ['server', 'start-dev', '--help']);
  return help.includes('--ui-disable-news-fetch');
}

async function answers(address: string): Promise<boolean> {
  const connection = await Connection.connect({ address, connectTimeout: 2_000 });
  try {
    await connection.workflowService.describeNamespace({ namespace });
    return true;
  } finally {
    await connection.close();
  }
}
