/** An nginx of the lab's own, run by an ordinary user, whose configuration can be lost and brought back. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account } from './account.ts';
import { giveTo } from './host.ts';
import type { Port } from './ports.ts';
import { listens } from './ports.ts';
import type { EstateProcess } from './process.ts';
import { type Ground, launch } from './site.ts';

export interface NginxWanted {
  /** Its program. */
  nginx: string;
  /** Holds its configuration and all else that it writes. */
  directory: string;
  port: Port;
  account: Account;
}

export interface Nginx {
  process: EstateProcess;
  /** The directory of its configuration: what is backed up. */
  configuration: string;
  /** Where its master's pid stands. */
  pidFile: string;
  /** As `inUse` of a plan has them. */
  test: string[];
  reload: string[];
  url: string;
}

/** Answers `says` at `/health`. */
export async function startNginx(ground: Ground, wanted: NginxWanted, says: string): Promise<Nginx> {
  const { nginx, directory, port, account } = wanted;
  const at = (...parts: string[]) => join(directory, ...parts);
  for (const folder of [directory, at('conf'), at('conf', 'sites'), at('run')]) {
    await mkdir(folder, { recursive: true, mode: 0o755 });
    await giveTo(account, folder);
  }
  const write = async (file: string, text: string) => {
    await writeFile(file, text, { mode: 0o644 });
    await giveTo(account, file);
  };
  await write(at('conf', 'nginx.conf'), mainFile(directory));
  await write(at('conf', 'sites', 'health.conf'), siteAt(port.number, says));
  const words = [nginx, '-e', at('run', 'error.log'), '-p', directory, '-c', at('conf', 'nginx.conf')];
  const process = await launch(ground, {
    name: 'nginx',
    command: nginx,
    args: [...words.slice(1), '-g', 'daemon off;'],
    account,
    ports: [port],
    ready: () => listens(port.number),
  });
  return {
    process,
    configuration: at('conf'),
    pidFile: at('run', 'nginx.pid'),
    test: [...words, '-t'],
    reload: [...words, '-s', 'reload'],
    url: `http://127.0.0.1:${port.number}/health`,
  };
}

/** One site of it, as a file of its configuration. */
export function siteAt(port: number, says: string): string {
  return `server { listen 127.0.0.1:${port}; location = /health { default_type text/plain; return 200 "${says}\\n"; } }\n`;
}

function mainFile(directory: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `pid ${directory}/run/nginx.pid;
worker_processes 2;
events { worker_connections 64; }
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${directory}/run/${name};`).join('\n  ')}
  include ${directory}/conf/sites/*.conf;
}
`;
}
