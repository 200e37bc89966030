/** Patroni over the two servers in memory: what it says, what it does when it is asked, and what it refuses. */
import type { PatroniControlChanges, PatroniControlReads, PatroniHostReads } from '../../activities/contract.ts';
import { failure } from '../../activities/failure.ts';
import { clusterInWords, type PatroniCluster, type PatroniMember } from '../../recovery/patroni.ts';
import type { FakePair, Name } from './fake-pair.ts';

const names = ['db1', 'db2'] as const;

export class FakePatroni {
  readonly #pair: FakePair;
  paused = false;
  storeSilent: string | undefined;
  nofailover: Name[] = [];
  contradictions: string[] = [];
  /** Its words when it does not do what it is asked. */
  refuses: string | undefined;
  /** The newest change of leader. */
  changed: PatroniCluster['changed'];

  constructor(pair: FakePair) {
    this.#pair = pair;
  }

  get leader(): Name | undefined {
    return this.#pair.primaries[0];
  }

  reads(): PatroniControlReads {
    return {
      patroniState: async () => this.#state(),
      patroniSettled: async ({ leader, timeline, without }) => {
        const astray = names.filter(
          (name) => name !== leader && !without.includes(name) && this.#pair.servers[name].timeline !== timeline,
        );
        if (astray.length > 0) throw failure('PatroniUnsettled', `${astray.join(' and ')} stayed behind`);
        return { found: `all follow ${leader}` };
      },
    };
  }

  changes(): PatroniControlChanges {
    return {
      patroniSwitchover: async ({ from, to, timeline }) => {
        if (this.refuses !== undefined) throw failure('PatroniRefused', this.refuses);
        this.#promote(to as Name, timeline + 1);
        Object.assign(this.#pair.servers[from as Name], { role: 'standby', timeline: timeline + 1 });
        return { leader: to, timeline: timeline + 1, found: `${to} leads` };
      },
      patroniFailover: async ({ to, timeline }) => {
        if (this.refuses !== undefined) throw failure('PatroniRefused', this.refuses);
        this.#promote(to as Name, timeline + 1);
        return { leader: to, timeline: timeline + 1, found: `${to} leads` };
      },
    };
  }

  hostReads(): PatroniHostReads {
    return { memberFacts: (ask) => this.#pair.hostReads().serverFacts(ask) };
  }

  /** The host is lost, and Patroni has made the other one the leader. */
  failOver(lost: Name, to: Name): void {
    const { timeline } = this.#pair.servers[lost];
    this.#pair.servers[lost].running = false;
    this.changed = { timeline, lsn: '0/A000060', at: new Date().toISOString() };
    this.#promote(to, timeline + 1);
  }

  #promote(to: Name, timeline: number): void {
    Object.assign(this.#pair.servers[to], { role: 'primary', timeline, slots: names.filter((name) => name !== to) });
    this.#pair.door = to;
  }

  #state(): PatroniCluster & { found: string } {
    const { leader } = this;
    const cluster: PatroniCluster = {
      members: names.map((host) => this.#member(host, leader)),
      ...(leader === undefined || this.storeSilent !== undefined ? {} : { leader }),
      ...(this.storeSilent === undefined ? {} : { storeSilent: this.storeSilent }),
      paused: this.paused,
      synchronous: 'off',
      maximumLagBytes: 1_048_576,
      failsafeMode: false,
      ...(this.changed === undefined ? {} : { changed: this.changed }),
      contradictions: this.contradictions,
    };
    return { ...cluster, found: clusterInWords(cluster) };
  }

  #member(host: Name, leader: Name | undefined): PatroniMember {
    const { running, role, timeline } = this.#pair.servers[host];
    const tags = { nofailover: this.nofailover.includes(host), nosync: false, noloadbalance: false, clonefrom: false };
    if (!running) return { host, server: { role: 'unknown', why: 'refused' }, tags, why: 'refused' };
    return {
      host,
      server: { role, timeline, lsn: '0/A000000' },
      own: {
        ...{ role, timeline, state: 'running', version: '3.0.2', scope: 'orders' },
        ...{ streams: [], replayPaused: false, failsafe: false },
      },
      listed: { role: host === leader ? 'leader' : 'replica', state: 'running', timeline, lagBytes: 0 },
      tags,
    };
  }
}
