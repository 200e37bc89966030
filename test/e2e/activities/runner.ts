/**
 * Runs activities of the host worker in a process of their own: as the database's user, and one that can be killed.
 * All code is loaded before root's rights are given up, so that the repository may lie where that user cannot read it.
 */
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { hostChanges, hostReads } from '../../../activities/host.ts';

export interface Order {
  id: number;
  activity?: string;
  ask?: object;
  cancel?: true;
  /** Of the activity; the first when absent. */
  attempt?: number;
  /** The process dies as soon as it has renamed something to this path. */
  dieAtRenameTo?: string;
}

export interface Report {
  id: number;
  ready?: true;
  /** As it knows itself: in a machine of its own another one than from outside. */
  pid?: number;
  heartbeat?: unknown;
  result?: unknown;
  failure?: { name: string; type: string; message: string };
}

const activities: Record<string, unknown> = { ...hostReads, ...hostChanges };
const environments = new Map<number, MockActivityEnvironment>();

becomeDatabaseUser();
process.on('message', (order: Order) => {
  if (order.cancel) environments.get(order.id)?.cancel();
  else {
    if (order.dieAtRenameTo !== undefined) dieAt(order.dieAtRenameTo);
    void run(order);
  }
});
process.on('disconnect', () => process.exit(0));
send({ id: 0, ready: true, pid: process.pid });

function becomeDatabaseUser(): void {
  process.chdir('/');
  const [uid, gid] = (process.env.TEST_RUN_AS ?? '').split(':').map(Number);
  if (process.geteuid?.() !== 0 || uid === undefined || gid === undefined) return;
  process.setgroups?.([gid]);
  process.setgid?.(gid);
  process.setuid?.(uid);
}

/** As a machine would: between one line and the next. */
function dieAt(path: string): void {
  const { rename } = fs;
  fs.rename = async (from, to) => {
    await rename(from, to);
    if (to === path) process.kill(process.pid, 'SIGKILL');
  };
  syncBuiltinESMExports();
}

async function run({ id, activity = '', ask, attempt = 1 }: Order): Promise<void> {
  const body = activities[activity];
  if (typeof body !== 'function')
    return send({ id, failure: { name: 'Error', type: 'Bug', message: `no ${activity}` } });
  // Failures are what many tests expect: they are reported, not logged.
  const environment = new MockActivityEnvironment({ attempt }, { logger: new DefaultLogger('ERROR') });
  environments.set(id, environment);
  environment.on('heartbeat', (heartbeat: unknown) => send({ id, heartbeat }));
  try {
    send({ id, result: await environment.run((given: object) => body(given) as Promise<unknown>, ask ?? {}) });
  } catch (error) {
    const { name = 'Error', message = String(error) } = error as Error;
    send({ id, failure: { name, message, type: (error as { type?: string }).type ?? '' } });
  }
}

function send(report: Report): void {
  process.send?.(report);
}
