/** Files of a component and the repository that keeps them, in memory. */
import type { FilesChanges, FilesReads } from '../../activities/contract.ts';
import { failure } from '../../activities/failure.ts';
import type { Snapshot } from '../../recovery/snapshots.ts';

const snapshot: Snapshot = {
  id: 'a1b2c3d4'.repeat(8),
  time: '2026-11-21T03:00:00.000Z',
  paths: ['/etc/nginx'],
  host: 'db1',
  tags: ['lifeboat'],
};

export class FakeFiles {
  /** What lies in the path. */
  live: 'good' | 'spoilt' | 'missing' | 'restored' = 'spoilt';
  /** What was restored, or set aside. */
  beside: string[] = [];
  /** What runs on the files. */
  serves = 'good';
  /** Restored files are taken up. */
  fit = true;
  /** The key opens the repository. */
  keyFits = true;
  ageMs = 6 * 3_600_000;
  /** Tags of the snapshots that were taken. */
  taken: string[] = [];
  /** How often somebody has written into the live files. */
  writes = 0;
  readonly snapshot: Snapshot = structuredClone(snapshot);

  #place() {
    const { live } = this;
    const state = live === 'missing' ? ('missing' as const) : ('there' as const);
    return { path: '/etc/nginx', state };
  }

  #open(): void {
    if (!this.keyFits) throw failure('KeyLost', 'the repository does not open with its key');
  }

  reads(): FilesReads {
    return {
      filesHere: async () => ({ places: [this.#place()], found: `/etc/nginx is ${this.live}` }),
      filesLook: async ({ wanted }) => {
        this.#open();
        if (wanted === 'ffffffff') throw failure('BackupMissing', 'no snapshot is called ffffffff');
        const changed = this.live === 'good' || this.live === 'restored' ? 0 : 1;
        return {
          snapshot: this.snapshot,
          ageMs: this.ageMs,
          places: [{ ...this.#place(), added: 0, changed, removed: 0, entries: 4, bytes: 1_000 }],
          lying: [],
          found: `snapshot a1b2c3d4; /etc/nginx is ${this.live}`,
        };
      },
      filesReadable: async () => {
        this.#open();
        if (this.live === 'missing') throw failure('BackupMissing', '/etc/nginx is not there');
        return { entries: 4, bytes: 1_000, found: '4 entries' };
      },
      filesSound: async () => ({ found: 'all 1 kB read, no error' }),
      filesAre: async () => {
        if (this.live !== 'restored') throw failure('NotEqual', `/etc/nginx is ${this.live}`);
        return { found: '4 entries' };
      },
      filesServe: async () => ({ found: `it answers, with what is ${this.serves}` }),
    };
  }

  changes(): FilesChanges {
    return {
      backUpFiles: async ({ tag }) => {
        this.taken.push(tag);
        return { snapshot: this.snapshot.id, bytes: 1_000, added: 10, found: 'snapshot a1b2c3d4' };
      },
      restoreFiles: async () => {
        this.beside = [...new Set([...this.beside, 'restored'])];
        return { bytes: 1_000, found: 'restored beside' };
      },
      filesDifferences: async () => ({
        places: [{ path: '/etc/nginx', added: 1, changed: 2 + this.writes, removed: 0 }],
        first: ['changed /etc/nginx/nginx.conf'],
        list: '/etc/.nginx.lifeboat-run/differences.txt',
        seen: `seen-${this.writes}`,
        found: 'three differ',
      }),
      removeRestored: async () => {
        this.beside = this.beside.filter((one) => one !== 'restored');
        return { found: 'removed' };
      },
      replaceFiles: async ({ seen }) => {
        if (seen !== `seen-${this.writes}`) throw failure('Moved', '/etc/nginx was changed since');
        if (this.live !== 'restored' && this.live !== 'missing') this.beside.push(this.live);
        this.beside = this.beside.filter((one) => one !== 'restored');
        this.live = 'restored';
        return { found: 'replaced' };
      },
      takeUpFiles: async () => {
        if (!this.fit) throw failure('ReloadFailed', 'there is no new worker');
        this.serves = this.live;
        return { found: '2 new workers' };
      },
      giveFilesBack: async () => {
        const [aside] = this.beside.filter((one) => one !== 'restored');
        if (this.live === 'restored') {
          this.live = (aside as 'spoilt' | undefined) ?? 'missing';
          this.beside = ['restored'];
        }
        return { found: 'as before' };
      },
      tidyFiles: async () => ({ found: 'tidied' }),
    };
  }
}
