/** A drill on a damaged WAL archive ends not-proven with the right reason, or is proven because it does not need what is damaged. */
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { beforeAll, expect, test } from 'vitest';
import type { FailureType } from '../../../evidence/failures.ts';
import type { Finding, FindingKind } from '../../../recovery/diagnosis.ts';
import type { ArchiveResult } from '../../../workflows/archive.ts';
import { sampled } from '../../sample.ts';
import { backup, drill, type Scenario, until, useEstate } from '../drill/scenario.ts';
import { ask, processesNaming } from '../observer.ts';
import { type Mend, type Vandal, vandalOf } from './vandal.ts';

const scenario = useEstate({ load: { ordersPerSecond: 5 } });
const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

/** What lies there before any damage: on timeline 1 after the backup, and on timeline 2. */
interface Lie {
  first: string[];
  second: string[];
}
let lie: Lie;

const at = (segments: readonly string[], place: number): string => {
  const found = segments.at(place);
  if (found === undefined) throw new Error(`there are only ${segments.length} segments`);
  return found;
};

function serverOf({ estate }: Scenario, host: 'db1' | 'db2') {
  return { host: estate.servers[host].socket, port: estate.servers[host].port };
}

/** Ends segments until so many are archived of a timeline. */
async function archiveSegments(host: 'db1' | 'db2', timeline: number, count: number): Promise<string[]> {
  const vandal = vandalOf(scenario().estate);
  const before = (await vandal.segments(timeline)).length;
  return until(`${count} more segments of timeline ${timeline}`, async () => {
    await ask(serverOf(scenario(), host), 'select pg_switch_wal() from pg_create_restore_point($$a segment$$)');
    const segments = await vandal.segments(timeline);
    return segments.length >= before + count ? segments : undefined;
  });
}

beforeAll(async () => {
  const { estate } = scenario();
  await backup(scenario());
  const before = await vandalOf(estate).segments(1);
  await archiveSegments('db1', 1, 6);
  await estate.process('db1').stop();
  await ask(serverOf(scenario(), 'db2'), 'select pg_promote()');
  const second = await archiveSegments('db2', 2, 4);
  lie = { first: (await vandalOf(estate).segments(1)).slice(before.length), second };
}, 180_000);

async function archive(...words: string[]): Promise<{ result: ArchiveResult; code: number | undefined }> {
  const { stdout, exitCode } = await execa(process.execPath, [main, 'archive', 'orders', '--json', ...words], {
    env: scenario().estate.env,
    reject: false,
  });
  return { result: JSON.parse(stdout), code: exitCode };
}

function kindsOf(findings: readonly Finding[]): string[] {
  return findings.map(({ kind, threatens }) => (threatens ? `${kind}!` : kind));
}

async function nothingIsLeft() {
  const { scratch } = scenario().estate.servers.db2;
  expect(await readdir(scratch)).toEqual([]);
  expect(await processesNaming(`${scratch}/`)).toEqual([]);
}

interface Case {
  damage: string;
  done(vandal: Vandal): Promise<Mend[]>;
  finding: FindingKind;
  /** Seen only by who reads every segment. */
  deep?: true;
  /** Of the drill; proven when absent. */
  failure?: FailureType;
}

/** Something else under the name of what is there. */
async function instead(vandal: Vandal, name: string, store: () => Promise<Mend>): Promise<Mend[]> {
  const back = await vandal.takeAway(name);
  return [await store(), back];
}

const cases: Case[] = [
  {
    damage: 'the history file of the timeline that the service writes on is gone',
    done: async (vandal) => [await vandal.takeAway('00000002.history')],
    finding: 'no-history',
    failure: 'ArchiveUnsound',
  },
  {
    damage: 'the first segment of the new timeline is gone',
    done: async (vandal) => [await vandal.takeAway(at(lie.second, 0))],
    finding: 'fork-segment-missing',
    failure: 'ArchiveUnsound',
  },
  {
    damage: 'a segment between the backup and the promotion is gone',
    done: async (vandal) => [await vandal.takeAway(at(lie.first, 2))],
    finding: 'gap',
    failure: 'ArchiveGap',
  },
  {
    damage: 'a segment stands there a second time with another content',
    done: async (vandal) => [await vandal.storeAs(at(lie.first, 3), at(lie.first, 2), 'f'.repeat(40))],
    finding: 'stored-twice',
    failure: 'ArchiveUnsound',
  },
  {
    damage: 'the first segment of the new timeline is of another cluster',
    done: (vandal) => instead(vandal, at(lie.second, 0), () => vandal.storeForeign(at(lie.second, 0))),
    finding: 'foreign-segment',
    failure: 'ArchiveUnsound',
  },
  {
    damage: 'another server has archived on the same timeline, farther than the service has come',
    done: async (vandal) => [await vandal.storeAs(at(lie.second, 1), '0000000200000000000000F0')],
    finding: 'archive-ahead',
    failure: 'ArchiveUnsound',
  },
  {
    damage: 'the history file of the timeline that the service writes on is cut off',
    done: (vandal) => instead(vandal, '00000002.history', () => vandal.storeHistory(2, '1\t0/2')),
    finding: 'history-corrupt',
    failure: 'ArchiveUnsound',
  },
  {
    damage: 'the history file is of a server that was promoted to the same number elsewhere in the same segment',
    done: (vandal) =>
      instead(vandal, '00000002.history', () =>
        vandal.storeHistory(2, `1\t0/${at(lie.second, 0).slice(-2)}00028\tno recovery target specified\n`),
      ),
    finding: 'fork-differs',
    failure: 'ArchiveUnsound',
  },
  {
    damage: 'the history file says that the timeline began where the older one never came',
    done: (vandal) =>
      instead(vandal, '00000002.history', () =>
        vandal.storeHistory(2, '1\t0/F0000028\tno recovery target specified\n'),
      ),
    finding: 'impossible-fork',
    failure: 'ArchiveUnsound',
  },
  {
    damage: 'a segment inside of an unbroken run is of another cluster',
    done: (vandal) => instead(vandal, at(lie.first, 3), () => vandal.storeForeign(at(lie.first, 3))),
    finding: 'foreign-segment',
    deep: true,
    failure: 'ArchiveUnsound',
  },
  {
    damage: 'a segment inside of an unbroken run is another one under its name',
    done: (vandal) => instead(vandal, at(lie.first, 3), () => vandal.storeAs(at(lie.first, 2), at(lie.first, 3))),
    finding: 'misplaced-segment',
    deep: true,
    failure: 'ArchiveUnsound',
  },
  {
    damage: 'a byte of a segment inside of an unbroken run is turned',
    done: async (vandal) => [await vandal.flip(at(lie.first, 3))],
    finding: 'damaged-segment',
    deep: true,
    failure: 'BackupCorrupt',
  },
  {
    damage: 'an unfinished segment lies where no timeline was left',
    done: async (vandal) => [await vandal.storeAs(at(lie.first, 1), `${at(lie.first, 3)}.partial`)],
    finding: 'stray-partial',
  },
  {
    damage: 'strangers lie in the archive',
    done: async (vandal) => [
      await vandal.storeStranger('0000000200000000/notes.txt'),
      await vandal.storeStranger('0000000900000000/000000020000000000000001.zst'),
    ],
    finding: 'stranger',
  },
  {
    damage: 'an orphan branch lies aside',
    done: async (vandal) => [
      await vandal.storeHistory(7, '6\t0/300000\tno recovery target specified\n'),
      await vandal.storeAs(at(lie.second, 1), '000000070000000000000003'),
    ],
    finding: 'orphan',
  },
];

test.each(sampled(cases, 3, 'archive').map((one): [string, Case] => [one.damage, one]))(
  'when %s, the drill ends as it should',
  async (_damage, { done, finding, deep, failure }) => {
    const mends = await done(vandalOf(scenario().estate));
    try {
      const { result, code } = await archive(...(deep ? ['--deep'] : []));
      expect(kindsOf(result.findings)).toContain(failure === undefined ? finding : `${finding}!`);
      expect(code).toBe(failure === undefined ? 0 : 1);
      const evidence = await drill(scenario());
      expect(evidence.failure?.type).toBe(failure);
      expect(evidence.outcome).toBe(failure === undefined ? 'proven' : 'not-proven');
      await nothingIsLeft();
    } finally {
      for (const mend of mends) await mend();
    }
  },
);

test('with the service dead the archive alone tells, also that it is empty', async () => {
  const { estate } = scenario();
  await estate.process('db2').stop();
  const mends: Mend[] = [];
  try {
    const dead = await archive();
    expect(dead.result).toMatchObject({ timeline: 2, silent: expect.stringContaining('DatabaseUnreachable') });
    expect(dead.result.lsn).toBeUndefined();
    expect(dead.code).toBe(0);

    mends.push(await vandalOf(estate).takeAllWal());
    const empty = await archive();
    expect(kindsOf(empty.result.findings)).toEqual(expect.arrayContaining(['empty-archive!', 'no-way!']));
    expect(empty.result.backups).toEqual(dead.result.backups);
    expect(empty.code).toBe(1);
  } finally {
    for (const mend of mends) await mend();
    await estate.process('db2').start();
  }
});
