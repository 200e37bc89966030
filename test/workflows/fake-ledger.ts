/** Directories that a recovery has set aside, and what is read of them, in memory. */
import type { LedgerControlReads, LedgerHostChanges, LedgerHostReads } from '../../activities/contract.ts';
import { failure } from '../../activities/failure.ts';
import type { SetAside, SetAsideSeen } from '../../evidence/evidence.ts';
import type { LedgerTable } from '../../evidence/ledger.ts';
import { identityOfSetAside } from '../../evidence/set-aside.ts';

const seen: SetAsideSeen = {
  inode: '4711',
  systemIdentifier: '7',
  timeline: 1,
  lsn: '0/A000028',
  state: 'shut down',
  bytes: 3 * 1024 ** 3,
  at: '2026-11-21T14:30:00.000Z',
};

export class FakeLedger {
  /** By path. */
  readonly directories = new Map<string, SetAsideSeen>();
  fits = true;
  tables: LedgerTable[] = [
    { table: 'public.orders', by: 'primary key', key: ['id'], missing: 3, changed: 1, new: 12, notes: [] },
    { table: 'public.payments', by: 'primary key', key: ['id'], missing: 0, changed: 0, new: 9, notes: [] },
  ];
  /** The server on the copy runs. */
  copied = false;

  setAside(directory: string, more: Partial<SetAsideSeen> = {}): void {
    this.directories.set(directory, { ...seen, ...more });
  }

  /** What the recovery's evidence says. */
  recovery: SetAside[] = [];

  reads(): LedgerControlReads {
    return {
      recoveryOf: async ({ run }) => {
        if (this.recovery.length === 0) throw failure('InputInvalid', `${run} has set nothing aside`);
        return {
          setAside: this.recovery,
          startedAt: '2026-11-21T13:30:00.000Z',
          outcome: 'recovered',
          found: `${run} has set aside ${this.recovery.length} directories`,
        };
      },
    };
  }

  hostReads(): LedgerHostReads {
    return {
      lookAtSetAside: async ({ directory }) => {
        const there = this.directories.get(directory);
        return there === undefined
          ? { found: `${directory} is gone` }
          : { found: `${directory} lies there`, seen: there };
      },
      roomForCopy: async () => ({
        found: this.fits ? 'room enough' : 'there is no room for it',
        fits: this.fits,
        reflink: false,
        bytes: 3 * 1024 ** 3,
      }),
      lostInWal: async () => ({
        found: '17 transactions',
        transactions: 17,
        counts: [{ table: 'public.orders', inserted: 4, updated: 2, deleted: 1 }],
      }),
    };
  }

  hostChanges(): LedgerHostChanges {
    return {
      removeSetAside: async ({ directory, identity }) => {
        const there = this.directories.get(directory);
        if (there !== undefined && identityOfSetAside(there) !== identity)
          throw failure('Moved', `${directory} is another one`);
        this.directories.delete(directory);
        return { found: `${directory} is gone` };
      },
      copySetAside: async () => {
        this.copied = true;
        return { found: 'copied', reflink: false };
      },
      ledgerOfLostWrites: async () => ({
        found: 'compared',
        at: '2026-11-21T14:31:00.000Z',
        tables: this.tables,
        notes: [],
      }),
    };
  }
}
