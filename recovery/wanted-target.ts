/** What a person says that a recovery should end at. Pure: resolved against the archive by `locateTarget`. */
import type { Lsn } from './archive.ts';

export type WantedTarget =
  /** A moment with its offset: everything committed up to it, that moment included. */
  | { kind: 'time'; at: string }
  /** A position: the record that starts there is the last one (`inclusive`), or the first one left out. */
  | { kind: 'lsn'; lsn: Lsn; inclusive: boolean }
  /** A transaction by its 32-bit number: just after its commit, or just before it. */
  | { kind: 'transaction'; transaction: number; inclusive: boolean }
  /** A named restore point (pg_create_restore_point). */
  | { kind: 'name'; name: string };
