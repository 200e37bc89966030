/** A small estate, and what lies beside it that Lifeboat has no business with: looked at before and after each test. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { HostChanges, HostReads } from '../../../activities/contract.ts';
import { type Hand, newHand } from '../activities/hand.ts';
import { newSmallEstate, type SmallEstate } from '../activities/small-estate.ts';
import { configurationOf, filesBelow } from '../observer.ts';

export type Host = HostReads & HostChanges;
/** What comes from outside of the compiler's sight is whatever somebody sent. */
export const sent = <T>(value: unknown) => value as T;

export let estate: SmallEstate;
export let hand: Hand;
/** Of its backup. */
export let label: string;
/** Belongs to the database's user, like the live data: only the permit file keeps Lifeboat away. */
export let outside: string;
let before: Awaited<ReturnType<typeof whatIsOutside>>;

/** To be called once by each file. */
export function useOutside(): void {
  beforeAll(async () => {
    estate = await newSmallEstate();
    outside = join(estate.root, 'outside');
    await estate.run('mkdir', '-p', join(outside, 'data'), join(estate.scratchRoot, 'other-run', 'data'));
    await estate.run('cp', '/etc/hostname', join(outside, 'data', 'PG_VERSION'));
    await estate.sql('create table orders (id int); insert into orders select generate_series(1, 10)');
    label = await estate.backup();
    hand = await newHand(estate.env);
  }, 180_000);
  afterAll(async () => {
    await hand?.stop();
    await estate?.stop();
  });
  beforeEach(lookAnew);
  afterEach(nothingChangedOutside);
}

/** After a test has changed something there itself. */
export async function lookAnew(): Promise<void> {
  before = await whatIsOutside();
}

export async function nothingChangedOutside(): Promise<void> {
  expect(await whatIsOutside()).toEqual(before);
}

/** All that Lifeboat has no business with. */
async function whatIsOutside() {
  return {
    files: await filesBelow(outside),
    otherRun: await execa('ls', ['-lR', join(estate.scratchRoot, 'other-run')]).then(({ stdout }) => stdout),
    names: (await execa('ls', ['-l', '--time-style=+', estate.root])).stdout
      .split('\n')
      .filter((line) => !line.endsWith(' scratch')),
    live: await configurationOf(estate.member.dataDirectory),
    server: (await readFile(join(estate.member.dataDirectory, 'postmaster.pid'), 'utf8')).split('\n').slice(0, 7),
    rows: await estate.sql('select count(*) as rows from orders'),
  };
}
