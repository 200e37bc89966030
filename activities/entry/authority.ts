/** Whoever keeps the zone of the entry, opened for one piece of work. */
import type { Entry } from '../../plan/entry.ts';
import { dnsUpdate } from './dns-update.ts';
import type { EntryKind } from './kind.ts';
import { route53 } from './route53.ts';

export async function withAuthority<T>(entry: Entry, use: (kind: EntryKind) => Promise<T>): Promise<T> {
  const kind = await opened(entry);
  try {
    return await use(kind);
  } finally {
    kind.close();
  }
}

async function opened(entry: Entry): Promise<EntryKind> {
  switch (entry.kind) {
    case 'dns-update':
      return dnsUpdate(entry);
    case 'route53':
      return route53(entry);
  }
}
