/** The DNS record by which clients reach the service, and what resolvers remember of it, in memory. */
import type { EntryChanges, EntryReads } from '../../activities/contract.ts';
import { failure } from '../../activities/failure.ts';
import type { Entry } from '../../plan/entry.ts';

export class FakeEntry {
  /** What the record says. */
  value = '192.0.2.10';
  ttlSeconds = 60;
  /** The key may change it. */
  movable = true;
  /** Resolvers that do not forget the old answer. */
  late: string[] = [];

  reads(): EntryReads {
    return {
      entryState: async ({ entry }) => {
        const { value, ttlSeconds } = this;
        const site = siteOf(entry, value);
        return {
          record: { value, ttlSeconds },
          ...(site === undefined ? { unfit: `${entry.name} leads to ${value}, which is no site` } : { site }),
          resolvers: [],
          found: `${entry.name} leads to ${site ?? value}`,
        };
      },
      entryMovable: async ({ entry }) => {
        if (!this.movable) throw failure('EntryRefused', `the key may not change ${entry.name}`);
        return { found: `the key may change ${entry.name}` };
      },
      entrySeen: async ({ entry, site }) => {
        if (this.late.length > 0) throw failure('EntryNotSeen', `${this.late.join(', ')} give the old answer`);
        return { at: '2026-11-21T14:10:00.000Z', found: `${entry.resolvers.length} resolvers lead to ${site}` };
      },
    };
  }

  changes(): EntryChanges {
    return {
      setEntryTtl: async ({ entry, record, ttlSeconds }) => {
        if (this.value !== record.value) throw failure('Moved', `${entry.name} leads to ${this.value}`);
        this.ttlSeconds = ttlSeconds;
        return { until: '2026-11-21T14:03:11.000Z', found: `a TTL of ${ttlSeconds} s` };
      },
      restoreEntryTtl: async ({ ttlSeconds }) => {
        this.ttlSeconds = ttlSeconds;
        return { found: `a TTL of ${ttlSeconds} s` };
      },
      moveEntry: async ({ entry, from, to }) => {
        const site = siteOf(entry, this.value);
        if (site !== from && site !== to) throw failure('Moved', `${entry.name} leads to ${this.value}`);
        this.value = entry.sites[to] ?? this.value;
        return { at: '2026-11-21T14:10:00.000Z', until: '2026-11-21T14:10:05.000Z', found: `leads to ${to}` };
      },
    };
  }
}

function siteOf({ sites }: Entry, value: string): string | undefined {
  return Object.keys(sites).find((site) => sites[site] === value);
}
