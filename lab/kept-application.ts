/** An application that systemd keeps on a machine of its own: what it is, what a host worker there may do to it, and that worker. */
import { readFile, writeFile } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import type { SystemdUnit } from '../plan/components/systemd.ts';
import type { Account } from './account.ts';
import type { Home } from './home.ts';
import { reservePort } from './ports.ts';
import { type Ground, launch } from './site.ts';
import type { Machine } from './systemd.ts';
import { until } from './until.ts';

export const unit = 'orders.service';
/** While it is there the unit's condition keeps it down, once the unit heeds it. */
export const flag = `/var/lib/lifeboat/quiesced.${unit}`;
export const permit = '/etc/lifeboat/permit.yaml';
const application = '/opt/orders/orders.mjs';
const systemctl = ['/usr/bin/sudo', '-n', '/usr/bin/systemctl'];

/** What it does from its next start on (`diesAfterMs`, `ignoresTerm`), or from now on. */
export interface Does {
  /** The status of its answer. */
  health?: number;
  /** What its answer begins with. */
  says?: string;
  diesAfterMs?: number;
  ignoresTerm?: boolean;
}

export interface KeptApplication {
  component: SystemdUnit & { healthy: object };
  does(what: Does): Promise<void>;
  /** Lines of the unit's [Service]; what is not said is as usual. Read by systemd at once. */
  serviceIs(lines: Record<string, string>): Promise<void>;
  /** The unit heeds the file that keeps it down. */
  heedsFlag(): Promise<void>;
  /** How often it was started. */
  starts(): Promise<number>;
  /** By root, past Lifeboat. Returns once it answers. */
  restart(): Promise<void>;
  /** As from outside; returns once systemd has seen it. */
  kill(): Promise<void>;
  /** What systemd itself says of the unit. */
  property(name: string): Promise<string>;
}

/** It counts its starts, and does what its file says. */
const program = `
import { appendFileSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
appendFileSync('/opt/orders/starts', 'x');
const does = () => JSON.parse(readFileSync('/opt/orders/does.json', 'utf8'));
const { diesAfterMs, ignoresTerm } = does();
if (ignoresTerm) process.on('SIGTERM', () => console.log('not yet'));
if (diesAfterMs !== undefined) setTimeout(() => process.exit(3), diesAfterMs);
const answer = (_, response) => {
  const { health = 200, says = 'ok' } = does();
  response.writeHead(health).end(says + ' ' + (process.env.EDITION ?? ''));
};
createServer(answer).listen(Number(process.env.PORT), '127.0.0.1');
`;

/** It is there, and does not run yet. */
export async function keepApplication(machine: Machine, account: Account, host: string): Promise<KeptApplication> {
  const port = await reservePort();
  await port.release();
  const url = `http://127.0.0.1:${port.number}/health`;
  const reload = () => machine.run('systemctl', 'daemon-reload');
  const kept: KeptApplication = {
    component: {
      kind: 'systemd',
      after: [],
      host,
      unit,
      healthy: { url, status: 200, contains: 'ok', within: 15_000 },
      staysUp: 2_000,
      startsWithin: 20_000,
      stopsWithin: 20_000,
      comesBackWithin: 15_000,
    },
    does: (what) => machine.write('/opt/orders/does.json', JSON.stringify(what)),
    serviceIs: async (lines) => {
      await machine.write(`/etc/systemd/system/${unit}`, unitFile(port.number, lines));
      await reload();
    },
    heedsFlag: async () => {
      await machine.write(`/etc/systemd/system/${unit}.d/lifeboat.conf`, `[Unit]\nConditionPathExists=!${flag}\n`);
      await reload();
    },
    starts: async () => (await machine.run('cat', '/opt/orders/starts')).length,
    restart: async () => {
      // Of one that systemd has forgotten there is nothing to be reset.
      await machine.run('systemctl', 'reset-failed', unit).catch(() => undefined);
      await machine.run('systemctl', 'restart', unit);
      await until({ what: `${unit} to answer`, withinMs: 20_000 }, async () => (await fetch(url)).ok);
    },
    kill: async () => {
      await machine.run('systemctl', 'kill', '--signal=KILL', unit);
      const failed = async () => (await kept.property('ActiveState')) === 'failed';
      await until({ what: `systemd to see that ${unit} has failed`, withinMs: 20_000 }, failed);
    },
    property: async (name) => (await machine.run('systemctl', 'show', unit, `--property=${name}`, '--value')).trim(),
  };
  await machine.write(application, program);
  const units = [
    { unit, systemctl, quiesced: flag, health: [url] },
    { unit: 'missing.service', systemctl },
  ];
  // JSON is YAML.
  await machine.write(permit, JSON.stringify({ units, postgresql: '/usr/bin' }));
  await machine.run('install', '--directory', `--owner=${account.name}`, '/var/lib/lifeboat');
  await machine.write('/etc/sudoers.d/lifeboat', sudoers(account.name), '0440');
  await kept.does({});
  await kept.serviceIs({});
  return kept;
}

/** As a person writes it, beside what the plan has. */
export async function addToPlan(file: string, { component }: KeptApplication): Promise<void> {
  const plan = parseDocument(await readFile(file, 'utf8'));
  const { host, kind, unit: name, healthy } = component;
  const seconds = (ms: number) => `${ms / 1_000}s`;
  const written = {
    kind,
    host,
    unit: name,
    healthy: { ...healthy, within: seconds(healthy.within) },
    staysUp: seconds(component.staysUp),
    startsWithin: seconds(component.startsWithin),
    stopsWithin: seconds(component.stopsWithin),
    comesBackWithin: seconds(component.comesBackWithin),
  };
  plan.setIn(['sites', 'east', 'hosts', host], '127.0.0.1');
  plan.setIn(['components', 'api'], plan.createNode(written));
  await writeFile(file, plan.toString({ lineWidth: 0 }));
}

/** Exactly what Lifeboat says to systemd. @param tags instead of NOPASSWD, by the words of systemctl */
export function sudoers(user: string, tags: Record<string, string> = {}): string {
  const ofUnit = ['--no-block start', '--no-block restart', '--no-block stop', 'reset-failed'];
  const orders = [...ofUnit.map((order) => `${order} ${unit}`), 'daemon-reload'];
  return orders
    .map((order) => `${user} ALL=(root) ${tags[order] ?? 'NOPASSWD'}: /usr/bin/systemctl ${order}\n`)
    .join('');
}

function unitFile(port: number, lines: Record<string, string>): string {
  const { StartLimitBurst = '5', ...rest }: Record<string, string> = {
    ExecStart: `${process.execPath} ${application}`,
    Environment: `PORT=${port}`,
    Restart: 'no',
    TimeoutStopSec: '10',
    ...lines,
  };
  const service = Object.entries(rest).map(([key, value]) => `${key}=${value}\n`);
  return `[Unit]\nStartLimitIntervalSec=1h\nStartLimitBurst=${StartLimitBurst}\n[Service]\n${service.join('')}`;
}

export interface HostWorkerWanted {
  machine: Machine;
  host: string;
  home: Home;
  account: Account;
  /** Where Temporal is. */
  env: Record<string, string>;
}

/** A host worker in the machine, as an ordinary user there. Returns once it polls; ends with the machine, or by the pid that it has there. */
export async function startHostWorker(ground: Ground, wanted: HostWorkerWanted): Promise<{ pid: number }> {
  const { machine, host, home, account, env } = wanted;
  const [command = '', ...enter] = machine.enter;
  const ready = '/var/lib/lifeboat/ready.json';
  await machine.run('rm', '-f', ready);
  const { uid, gid } = account.ids ?? { uid: 0, gid: 0 };
  const as = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  const told = async () => JSON.parse(await machine.run('cat', ready)) as { pid: number };
  await launch(ground, {
    name: `host-${host}`,
    command,
    args: [...enter, ...as, home.node, home.program('workers/host.js')],
    env: {
      ...env,
      HOME: '/nonexistent',
      LIFEBOAT_HOST: host,
      LIFEBOAT_PERMIT: permit,
      LIFEBOAT_READY_FILE: ready,
      TMPDIR: '/tmp',
    },
    readyWithinMs: 60_000,
    ready: async () => (await told()).pid > 0,
  });
  return told();
}
