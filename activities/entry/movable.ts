import type { EntryReads } from '../contract.ts';
import { withAuthority } from './authority.ts';
import { recordOf } from './change.ts';

export const entryMovable: EntryReads['entryMovable'] = ({ entry }) =>
  withAuthority(entry, async (kind) => {
    await kind.rehearse(await recordOf(kind, entry));
    return {
      found: `the key may change ${entry.name}: asked by a change that cannot hold, it was not refused for the key or the name`,
      expected: 'a key that may move the record',
    };
  });
