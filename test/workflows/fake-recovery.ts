/** Directories of two members and the servers beside them, in memory: what a recovery in place changes. */
import type { LocatedTarget, Onto, RecoveryHostChanges, RecoveryHostReads } from '../../activities/contract.ts';
import { failure } from '../../activities/failure.ts';
import type { EndOfRecovery, Scratch } from '../../activities/shapes.ts';
import type { RecoveryTarget } from '../../recovery/archive.ts';
import type { WantedTarget } from '../../recovery/wanted-target.ts';
import type { FakePair, FakeServer, Name } from './fake-pair.ts';

interface FakeBeside {
  running: boolean;
  promoted: boolean;
  target?: RecoveryTarget;
}

/** Positions that a target may mean here, in their order. */
const positions = ['0/5000000', '0/6000000', '0/6100000', '0/7000000', '0/7100000', '0/8000000'];

export class FakeRecovery {
  readonly #pair: FakePair;
  readonly beside: Partial<Record<Name, FakeBeside>> = {};
  /** The server that a replaced directory belongs to. */
  readonly aside: Partial<Record<Name, FakeServer>> = {};
  readonly told: string[] = [];
  /** What is left of servers that are lost. */
  readonly lies: Partial<Record<Name, Onto>> = {};
  /** Servers beside stand where they were told to; without it every one stands at the same place. */
  follows = false;
  /** The history of this timeline is in the archive. */
  archived = 1;

  constructor(pair: FakePair) {
    this.#pair = pair;
  }

  restored({ host }: Scratch): void {
    if (this.follows && this.beside[host as Name] !== undefined)
      throw failure('Bug', `there is a server beside on ${host} already`);
    this.beside[host as Name] = { running: false, promoted: false };
  }

  removed({ host }: Scratch): void {
    delete this.beside[host as Name];
  }

  replayed({ host }: Scratch, target: RecoveryTarget): EndOfRecovery | undefined {
    if (!this.follows) return undefined;
    const there = this.#there(host);
    if (there.target?.kind === 'lsn' && target.kind === 'lsn' && there.target.lsn > target.lsn)
      throw failure('ReplayFailed', `${host} stands at ${there.target.lsn} already, after ${target.lsn}`);
    Object.assign(there, { running: true, target });
    return this.end({ host, directory: '' });
  }

  end({ host }: Scratch): EndOfRecovery | undefined {
    const { target } = (this.follows ? this.beside[host as Name] : undefined) ?? {};
    if (target?.kind !== 'lsn') return undefined;
    const { lsn, timeline } = target;
    return { found: `paused at ${lsn}`, lsn, timeline, lastCommitAt: '2026-11-21T14:01:00.000Z', nextTransaction: 800 };
  }

  promoted({ host }: Scratch): number | undefined {
    if (!this.follows) return undefined;
    this.#there(host).promoted = true;
    return this.#pair.servers.db1.timeline + 1;
  }

  /** Of the words of a person: the third digit of a position says which it is. */
  locate: (target: WantedTarget) => LocatedTarget = (target) => {
    const lsn = target.kind === 'lsn' ? target.lsn : '0/7000000';
    const place = positions.indexOf(lsn);
    if (place < 0) throw failure('TargetOutsideWindow', `${lsn} is not in the archive`);
    return {
      found: `it is ${lsn}`,
      target: { kind: 'lsn', lsn, inclusive: target.kind !== 'time', timeline: 1 },
      at: '2026-11-21T14:01:00.000Z',
      transaction: 4710,
      after: { transactions: 10 * (positions.length - place), newestAt: '2026-11-21T14:02:00.000Z' },
    };
  };

  /** Both servers are gone, and what is left of them lies where they were. */
  loses(lies: Record<Name, Onto>): void {
    Object.assign(this.lies, lies);
    for (const server of Object.values(this.#pair.servers)) Object.assign(server, { running: false, slots: [] });
    this.#pair.door = 'closed';
  }

  hostReads(): RecoveryHostReads {
    return {
      whatLies: async ({ member }) => {
        if (this.#pair.servers[member.host as Name].running) throw failure('ServerAlive', `${member.host} runs`);
        return { found: `looked on ${member.host}`, lies: this.lies[member.host as Name] ?? 'remains' };
      },
      canReplace: async ({ member }) => ({
        found: 'one file system',
        state: this.aside[member.host as Name] === undefined ? 'untouched' : 'replaced',
        liveBytes: 1024 ** 3,
        freeBytes: 100 * 1024 ** 3,
      }),
      locateTarget: async ({ target }) => this.locate(target),
      countRows: async ({ tables }) => ({
        found: 'counted',
        tables: tables.map((table) => ({ table: `public.${table}`, rows: 150 })),
      }),
      assertionsLive: async ({ member }) => {
        this.#alive(member.host);
        return { found: '1 of 1 holds' };
      },
    };
  }

  hostChanges(): RecoveryHostChanges {
    const servers = this.#pair.servers;
    const at = (host: string) => servers[host as Name];
    return {
      stopBeside: async ({ scratch }) => {
        const there = this.#there(scratch.host);
        there.running = false;
        const lsn = there.target?.kind === 'lsn' ? there.target.lsn : '0/0';
        const timeline = there.promoted ? at('db1').timeline + 1 : 1;
        return { found: 'stopped', lsn, timeline, systemIdentifier: '7', inRecovery: !there.promoted };
      },
      stopStandby: async ({ member }) => {
        at(member.host).running = false;
        return { found: `${member.host} is stopped` };
      },
      startStandby: async ({ member }) => {
        if (this.aside[member.host as Name] !== undefined) throw failure('Bug', `${member.host} is replaced`);
        at(member.host).running = true;
        return { found: `${member.host} is a standby again` };
      },
      ownConfiguration: async () => ({ found: 'the configuration of the backup' }),
      replaceDirectory: async ({ member, follow, onto }) => {
        const host = member.host as Name;
        if (onto !== this.lies[host]) throw failure('Bug', `${onto ?? 'a live directory'} is replaced on ${host}`);
        const there = this.#there(host);
        if (at(host).running || there.running) throw failure('Moved', `a server of ${host} runs`);
        if (follow !== undefined && this.archived < follow.timeline)
          throw failure('Bug', `the standby on ${host} would follow the old branch`);
        this.aside[host] ??= structuredClone(at(host));
        servers[host] = {
          running: false,
          role: follow === undefined ? 'primary' : 'standby',
          timeline: there.promoted ? at('db1').timeline + 1 : 1,
          slots: [],
        };
        return { found: 'replaced', state: 'replaced' };
      },
      replaceBack: async ({ member }) => {
        const host = member.host as Name;
        if (at(host).running) throw failure('Moved', `the server on ${host} runs`);
        servers[host] = this.aside[host] ?? at(host);
        delete this.aside[host];
        return { found: 'as it was', state: 'untouched' };
      },
      startReplaced: async ({ member, timeline }) => {
        if (this.aside[member.host as Name] === undefined) throw failure('Bug', 'the old directory would be started');
        if (servers.db2.running) throw failure('Bug', 'the old standby still runs');
        Object.assign(at(member.host), { running: true, timeline });
        this.archived = timeline;
        return { found: `${member.host} is the primary`, lsn: '0/7000100' };
      },
      returnOnNewTimeline: async ({ member, above }) => {
        if (this.aside[member.host as Name] !== undefined) throw failure('Bug', 'the restored one is in its place');
        Object.assign(at(member.host), { running: true, timeline: above + 1 });
        this.archived = above + 1;
        return { found: 'it is back', timeline: above + 1, lsn: '0/A000200' };
      },
      waysToLook: async ({ scratch }) => ({
        found: 'a role that only reads',
        connection: `psql "host=${scratch.directory}/socket port=5432 user=reader dbname=orders"`,
      }),
      tellApplication: async ({ what }) => {
        this.told.push(what);
        return { found: 'exit code 0' };
      },
      smokeLive: async ({ member }) => {
        this.#alive(member.host);
        return { found: 'an order was placed and paid' };
      },
    };
  }

  #there(host: string): FakeBeside {
    const there = this.beside[host as Name];
    if (there === undefined) throw failure('BesideLost', `there is no server beside on ${host}`);
    return there;
  }

  #alive(host: string): void {
    if (!this.#pair.servers[host as Name].running) throw failure('DatabaseUnreachable', `no server runs on ${host}`);
  }
}
