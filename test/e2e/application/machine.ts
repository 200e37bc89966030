/** A machine with systemd on it, an application that it keeps, and the hand of a host worker there, as an ordinary user. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type Account, databaseAccount } from '../../../lab/account.ts';
import { flag, type KeptApplication, keepApplication, permit, sudoers, unit } from '../../../lab/kept-application.ts';
import type { Ground } from '../../../lab/site.ts';
import { type Machine, startMachine, whyNoMachine } from '../../../lab/systemd.ts';
import { needParts } from '../../../parts/parts.ts';
import { type Hand, newHand } from '../activities/hand.ts';
import { removeDirectory, scratchDirectory } from '../control/rig.ts';

/** Said by whoever leaves tests out for it. */
export const whyNot = await whyNoMachine();
if (whyNot !== undefined) console.log(`no machine with a systemd of its own: ${whyNot}`);

export const host = 'app1';

export interface Stage extends KeptApplication {
  machine: Machine;
  ground: Ground;
  account: Account;
  hand(): Promise<Hand>;
  /** Everything as at the beginning: it runs and answers, and every right is given. */
  reset(): Promise<void>;
}

export function useMachine(): () => Stage {
  let stage: (Stage & { stop(): Promise<void> }) | undefined;
  beforeAll(async () => {
    stage = await start();
  });
  afterAll(() => stage?.stop());
  return () => {
    if (stage === undefined) throw new Error('the machine did not start');
    return stage;
  };
}

async function start(): Promise<Stage & { stop(): Promise<void> }> {
  const root = await scratchDirectory('app');
  const [logs, pids] = [join(root, 'logs'), join(root, 'pids')];
  for (const folder of [logs, pids]) await mkdir(folder);
  const ground: Ground = {
    layout: { root, logs, pids },
    processes: new Map(),
    say: (line) => console.log(line),
    signal: new AbortController().signal,
  };
  const { systemd } = await needParts(['systemd', 'sudo'], (line) => console.log(line));
  const machine = await startMachine(ground, {
    systemd: systemd.path,
    hostname: host,
    directory: join(root, 'machine'),
  });
  const account = await databaseAccount();
  const kept = await keepApplication(machine, account, host);
  const hands: Hand[] = [];
  return {
    ...kept,
    machine,
    ground,
    account,
    hand: async () => {
      const runAs: Record<string, string> =
        account.ids === undefined ? {} : { TEST_RUN_AS: `${account.ids.uid}:${account.ids.gid}` };
      const hand = await newHand({ LIFEBOAT_PERMIT: permit, HOME: '/nonexistent', ...runAs }, machine);
      hands.push(hand);
      return hand;
    },
    reset: async () => {
      await machine.run('rm', '-rf', flag, `/etc/systemd/system/${unit}.d`, '/opt/orders/starts');
      await machine.write('/etc/sudoers.d/lifeboat', sudoers(account.name), '0440');
      await kept.does({});
      await kept.serviceIs({});
      await kept.restart();
    },
    stop: async () => {
      await Promise.all(hands.map((hand) => hand.stop()));
      await machine.stop();
      // Whoever has led the worker in ends with it.
      for (const one of ground.processes.values()) await one.stop();
      await removeDirectory(root);
    },
  };
}
