/** What is left of a standby, and what there is to bring it back from, in memory. */
import type { RebuildHostChanges, RebuildHostReads } from '../../activities/contract.ts';
import { failure } from '../../activities/failure.ts';
import type { Past, Place, PrimaryKept, StandbyFound } from '../../recovery/rebuild.ts';
import type { FakeLedger } from './fake-ledger.ts';
import type { FakePair, Name } from './fake-pair.ts';

const GB = 1024 ** 3;

/** Stopped in order, a little behind. */
const past: Past = {
  systemIdentifier: '7',
  timeline: 1,
  ancestors: [],
  reached: '0/8000028',
  needsFrom: '0/8000000',
  as: 'standby',
  orderly: true,
  checksums: true,
  walLogHints: false,
  left: { lsn: '0/7000028', timeline: 1, systemIdentifier: '7' },
};

export class FakeStandby {
  /** Whom all of it is about. */
  who: Name = 'db2';
  /** That one. */
  standby: StandbyFound = {
    host: 'db2',
    directory: 'there',
    runs: 'no',
    past: structuredClone(past),
    serverVersion: 150018,
    freeBytes: 100 * GB,
  };
  /** The other. */
  kept: PrimaryKept = {
    host: 'db1',
    timeline: 1,
    ancestors: [],
    lsn: '0/A000000',
    systemIdentifier: '7',
    serverVersion: 150018,
    segmentBytes: 16 * 1024 ** 2,
    keepsFrom: '0/9000000',
    slot: { active: false, lost: false, physical: true },
    fullPageWrites: true,
    letsRead: true,
    bytes: GB,
    tablespaces: 0,
  };
  place: Place = { freeBytes: 100 * GB };
  rewindable = true;
  ownTransactions = 12;
  /** What lies in the data directory, and beside it. */
  inPlace: 'old' | 'rewound' | 'restored' | 'copied' | 'none' = 'old';
  beside: string[] = [];
  readonly #pair: FakePair;
  readonly #ledger: FakeLedger;

  constructor(pair: FakePair, ledger: FakeLedger) {
    this.#pair = pair;
    this.#ledger = ledger;
  }

  reads(): RebuildHostReads {
    return {
      standbyFound: async () => ({ ...this.standby, found: 'db2 looked at' }),
      primaryKeeps: async () => ({ ...this.kept, found: 'db1 looked at' }),
      writesAfter: async () => ({
        found: `${this.ownTransactions} transactions of db2 alone`,
        transactions: this.ownTransactions,
        whole: true,
      }),
      canRewind: async () => ({
        possible: this.rewindable,
        fetch: [],
        found: this.rewindable ? 'from 0/7000028' : 'pg_rewind, rehearsed, does not find its way: no WAL',
      }),
      canTakePlace: async () => ({ ...this.place, found: 'a place' }),
    };
  }

  changes(): RebuildHostChanges {
    return {
      keepSlot: async ({ member, slot }) => {
        const { slots } = this.#pair.servers[member.host as 'db1'];
        const made = !slots.includes(slot);
        if (made) slots.push(slot);
        return { made, found: `slot ${slot}` };
      },
      reattach: async () => this.#becomes('old'),
      rewind: async () => this.#becomes('rewound'),
      copyPrimary: async ({ run }) => {
        this.beside.push(`coming-${run}`);
        return { found: 'copied' };
      },
      removeCopy: async () => {
        this.beside = this.beside.filter((name) => !name.startsWith('coming'));
        return { found: 'gone' };
      },
      takePlace: async ({ member, run, restored }) => {
        if (this.inPlace !== 'none') this.beside.push(`before-${run}`);
        this.#ledger.setAside(`${member.dataDirectory}.before-${run}`);
        this.beside = this.beside.filter((name) => !name.startsWith('coming'));
        return this.#becomes(restored === undefined ? 'copied' : 'restored');
      },
      giveBack: async ({ ran }) => {
        const aside = this.beside.some((name) => name.startsWith('before'));
        this.beside = this.beside.filter((name) => !name.startsWith('before'));
        this.inPlace = aside ? 'old' : 'none';
        this.#pair.servers[this.who].running = ran;
        return { found: 'the old directory again' };
      },
    };
  }

  #becomes(what: FakeStandby['inPlace']): { found: string } {
    const server = this.#pair.servers[this.who];
    if (server.running && server.role === 'primary') throw failure('SplitBrain', `${this.who} runs as a primary`);
    this.inPlace = what;
    Object.assign(server, { running: false, role: 'standby' });
    return { found: `${this.who} is ${what}` };
  }
}
