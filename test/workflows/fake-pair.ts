/** Two servers and the door that leads to one of them, in memory: what a switchover changes. */
import type {
  ServerFacts,
  SwitchoverControlChanges,
  SwitchoverControlReads,
  SwitchoverHostChanges,
  SwitchoverHostReads,
} from '../../activities/contract.ts';
import { failure } from '../../activities/failure.ts';
import type { Anchor } from '../../recovery/archive.ts';

export type Name = 'db1' | 'db2';

export interface FakeServer {
  running: boolean;
  role: 'primary' | 'standby';
  timeline: number;
  slots: string[];
  /** It has a standby.signal. */
  signal?: boolean;
  /** It has no power. */
  off?: boolean;
}

const end = '0/A000028';

export class FakePair {
  readonly servers: Record<Name, FakeServer> = {
    db1: { running: true, role: 'primary', timeline: 1, slots: ['db2'] },
    db2: { running: true, role: 'standby', timeline: 1, slots: [] },
  };
  door: Name | 'closed' = 'db1';
  /** Of several load balancers: whom each leads to, by its socket; without a word each leads to both. */
  behind: Record<string, Name[]> = {};
  /** Load balancers that do not answer any more. */
  lostDoors: string[] = [];
  /** Those of several that were closed, in this order. */
  closed: string[] = [];
  /** Of the fingerprints that the old primary shows. */
  tables: Anchor['tables'] = [];
  missingPulses = 0;
  lostMs = 0;
  /** What a server says differs from a sound one. */
  odd: Partial<Record<Name, Partial<ServerFacts>>> = {};
  backups: string[] = [];

  get primaries(): Name[] {
    return (['db1', 'db2'] as const).filter(
      (name) => this.servers[name].running && this.servers[name].role === 'primary',
    );
  }

  reads(): SwitchoverControlReads {
    return {
      doorState: async ({ traffic: { socket } }) => ({
        found: `leads to ${this.door}`,
        servers: this.#behind(socket).map((server) => ({
          server,
          state: server === this.door ? 'UP' : 'DOWN',
          serves: server === this.door,
          checked: server !== this.door,
          sessions: 0,
        })),
      }),
      pulsesAcross: async () => ({
        found: '600 of 600',
        acknowledged: 600,
        missing: this.missingPulses,
        gapMs: 1_300,
        ...(this.missingPulses === 0 ? {} : { lostMs: this.lostMs }),
      }),
    };
  }

  changes(): SwitchoverControlChanges {
    return {
      closeDoor: async ({ traffic: { socket } }) => {
        this.#behind(socket);
        if (this.behind[socket] !== undefined) this.closed.push(socket);
        this.door = 'closed';
        return { found: 'closed', at: new Date().toISOString() };
      },
      openDoor: async ({ to }) => {
        const other = this.primaries.find((name) => name !== to);
        if (other !== undefined) throw failure('SplitBrain', `${other} says that it is the primary too`);
        this.door = to as Name;
        return { found: `leads to ${to}`, at: new Date().toISOString(), lsn: '0/A000100' };
      },
      releaseServer: async ({ server }) => ({ found: `${server} is checked again` }),
    };
  }

  hostReads(): SwitchoverHostReads {
    return {
      serverFacts: async ({ member }) => this.#facts(member.host as Name),
      caughtUp: async ({ member }) => {
        this.#alive(member.host as Name);
        return { found: `${member.host} has replayed all`, lsn: '0/A000060' };
      },
      archivedHere: async ({ member, segment }) => ({ found: `the archive of ${member.host} holds ${segment}` }),
      howItStands: async ({ member }) => {
        const { running, role, signal = role === 'standby' } = this.servers[member.host as Name];
        return {
          found: `${member.host} looked at`,
          role: running ? role : 'stopped',
          standbyOnly: signal,
          start: `pg_ctl -D ${member.dataDirectory} start`,
        };
      },
      standsStill: async ({ member }) => {
        if (this.servers[member.host as Name].running) throw failure('Moved', `${member.host} runs again`);
        return { found: `${member.host} is stopped` };
      },
    };
  }

  hostChanges(): SwitchoverHostChanges {
    const at = (host: string) => this.servers[host as Name];
    return {
      checkpoint: async () => ({ found: 'a checkpoint' }),
      makeSlot: async ({ member, slot }) => {
        at(member.host).slots = [...new Set([...at(member.host).slots, slot])];
        return { found: `slot ${slot}` };
      },
      dropSlot: async ({ member, slot }) => {
        at(member.host).slots = at(member.host).slots.filter((one) => one !== slot);
        return { found: `slot ${slot} is gone` };
      },
      stopPrimary: async ({ member, timeline, systemIdentifier }) => {
        at(member.host).running = false;
        return { found: 'shut down', lsn: end, timeline, systemIdentifier };
      },
      standbyOnly: async ({ member }) => {
        if (at(member.host).running) throw failure('Moved', `${member.host} runs again`);
        at(member.host).signal = true;
        return { found: `${member.host} has a standby.signal` };
      },
      primaryAgain: async ({ member }) => {
        at(member.host).signal = false;
        return { found: `${member.host} may be the primary again` };
      },
      startPrimary: async ({ member }) => {
        if (at(member.host).signal) throw failure('Moved', `${member.host} came up as a standby`);
        at(member.host).running = true;
        return { found: `${member.host} is the primary again` };
      },
      promoteStandby: async ({ member, from }) => {
        this.#alive(member.host as Name);
        for (const other of ['db1', 'db2'] as const)
          if (other !== member.host && !this.servers[other].signal && !this.servers[other].off)
            throw failure('Bug', `${other} could still start as a primary`);
        Object.assign(at(member.host), { role: 'primary', timeline: from.timeline + 1 });
        return { found: 'promoted', timeline: from.timeline + 1, lsn: '0/A000080' };
      },
      askArchive: async ({ member, backups }) => ({ found: `${member.host} asks ${backups.config}` }),
      archiveReaches: async () => ({ found: 'archived', segment: '00000002000000000000000A' }),
      makeFollower: async ({ member }) => {
        if (at(member.host).running) throw failure('SplitBrain', `${member.host} runs as a primary`);
        at(member.host).role = 'standby';
        return { found: 'only as a standby' };
      },
      fingerprintsAt: async () => ({ found: 'fingerprints', tables: this.tables }),
      startFollower: async ({ member, timeline }) => {
        Object.assign(at(member.host), { running: true, timeline });
        return { found: `${member.host} streams`, lsn: '0/A000200' };
      },
    };
  }

  #behind(socket: string): Name[] {
    if (this.lostDoors.includes(socket)) throw failure('TrafficUnreachable', `${socket} does not answer`);
    return this.behind[socket] ?? ['db1', 'db2'];
  }

  #alive(host: Name): void {
    if (!this.servers[host].running)
      throw failure('DatabaseUnreachable', `no server runs in the data directory of ${host}`);
  }

  #facts(host: Name): ServerFacts {
    const { role, timeline, slots } = this.servers[host];
    return {
      found: `${role} on timeline ${timeline}`,
      host,
      at: new Date().toISOString(),
      role,
      timeline,
      systemIdentifier: '7',
      serverVersion: 150018,
      segmentBytes: 16 * 1024 ** 2,
      lsn: role === 'primary' ? '0/A000000' : '0/9FFFF00',
      ...(role === 'standby' ? { receiver: { state: 'streaming', slot: host }, replay: 'not paused' } : {}),
      archiving: { mode: 'on', fit: true, why: 'it archives' },
      archiver: { waiting: 0 },
      synchronousStandbys: '',
      slots: slots.map((name) => ({ name, kind: 'physical', active: true })),
      streams: role === 'primary' ? slots.map((slot) => ({ application: slot, state: 'streaming', slot })) : [],
      room: { wal: 1024 ** 3, senders: 10, slots: 10 },
      sessions: 12,
      prepared: 0,
      freeBytes: 100 * 1024 ** 3,
      ...this.odd[host],
    };
  }
}
