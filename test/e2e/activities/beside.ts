/** Restores beside a small estate, again and again: what the tests of damage, kills and full disks begin with. */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { type Hand, newHand } from './hand.ts';
import { newSmallEstate, type SmallEstate } from './small-estate.ts';

/** What the archive holds. */
interface Filled {
  /** Of the backup. */
  label: string;
  /** LSN up to which the tests recover, in the last archived segment. */
  end: string;
}

type Rows = Record<string, unknown>[];

export class Beside {
  scratch = { host: 'db1', directory: '' };
  readonly estate: SmallEstate;
  readonly call: Hand['call'];
  readonly start: Hand['start'];
  readonly label: string;
  readonly end: string;
  #runs = 0;

  constructor(estate: SmallEstate, hand: Hand, { label, end }: Filled) {
    this.estate = estate;
    this.call = hand.call;
    this.start = hand.start;
    this.label = label;
    this.end = end;
  }

  /** A directory that no test has used. */
  newScratch(): void {
    this.#runs += 1;
    this.scratch = { host: 'db1', directory: join(this.estate.scratchRoot, `run-${this.#runs}`) };
  }

  restoreAsk = () => ({
    backups: this.estate.backups,
    label: this.label,
    bytes: 1,
    scratch: this.scratch,
    throwAway: true,
  });

  replayAsk = (outageWithinMs = 60_000) => ({
    backups: this.estate.backups,
    scratch: this.scratch,
    target: { kind: 'lsn', lsn: this.end, inclusive: true, timeline: 1 } as const,
    outageWithinMs,
    throwAway: true,
  });

  async restored(): Promise<void> {
    this.newScratch();
    await this.call('restoreBeside', this.restoreAsk());
  }

  /** Yields the LSN at which it stands. */
  async paused(): Promise<string> {
    await this.restored();
    return (await this.call('replayTo', this.replayAsk())).lsn;
  }

  async promoted(): Promise<void> {
    await this.paused();
    await this.call('promoteScratch', { scratch: this.scratch });
  }

  /** Asks the server beside. */
  sql(text: string): Promise<Rows> {
    return this.estate.sql(text, { host: join(this.scratch.directory, 'socket'), port: 5432 });
  }

  async remove(): Promise<void> {
    if (this.scratch.directory !== '') await this.call('removeScratch', { scratch: this.scratch });
  }
}

/** Before the tests of a file an estate whose archive `fill` fills; after each test what it restored is removed. */
export function useBeside(fill: (estate: SmallEstate) => Promise<Filled>): () => Beside {
  let estate: SmallEstate | undefined;
  let hand: Hand | undefined;
  let beside: Beside | undefined;
  beforeAll(async () => {
    estate = await newSmallEstate();
    hand = await newHand(estate.env);
    beside = new Beside(estate, hand, await fill(estate));
  }, 180_000);
  afterEach(() => beside?.remove());
  afterAll(async () => {
    await hand?.stop();
    await estate?.stop();
  });
  return () => {
    if (beside === undefined) throw new Error('the small estate did not start');
    return beside;
  };
}

/** Segments into the archive, each with `more` in it and a row past the target. Yields the LSN before the last of those rows. */
export async function archiveRounds(
  estate: SmallEstate,
  rounds: number,
  more: (round: number) => string,
): Promise<string> {
  let end = '';
  for (let round = 0; round < rounds; round += 1) {
    await estate.sql(more(round));
    const [row] = await estate.sql('select pg_current_wal_lsn() as lsn');
    end = String(row?.lsn);
    await estate.sql(`insert into customers values (${100_000 + round}, 'after')`);
    await estate.archiveSegment();
  }
  return end;
}
