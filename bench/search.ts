/** (k) Searching the WAL: against pg_waldump alone, on the same files; the same fetched from the store; and whether memory grows with them. */
import { link, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { countStretch } from '../activities/backups/search-wal.ts';
import type { Search } from '../evidence/search.ts';
import { stanza } from '../lab/backrest.ts';
import { command } from '../lab/command.ts';
import { giveTo } from '../lab/host.ts';
import { withServer } from '../lab/postgres.ts';
import { Tally } from '../recovery/search/tally.ts';
import { namesOf } from '../recovery/segments.ts';
import { atMost, rowOf } from './findings.ts';
import { forgetPeak, pidOf } from './footprint.ts';
import type { Ground } from './ground.ts';
import { memoryOf } from './memory-of.ts';
import type { Findings } from './result.ts';
import { compete } from './rounds.ts';
import { runbookEnded } from './runs.ts';
import { medianRatio } from './statistics.ts';

const contestants = ['lifeboat', 'by hand', 'reading', 'waldump'] as const;
type Contestant = (typeof contestants)[number];

/** A worker's heap breathes. */
const memoryMayGrow = 1.2;

export async function search(ground: Ground, rounds: number): Promise<Findings> {
  // Where it begins and ends is found once; nobody else writes meanwhile.
  const { search: whole } = await searched(ground, {});
  const time = { from: whole.from, to: whole.to };
  const folder = await folderFor(ground);
  await fetch(ground, folder, whole);
  try {
    const took = await compete(contestants, rounds, async (name, round) => {
      const ms = await turn(ground, name, { time, folder, whole });
      ground.say(`(k) round ${round + 1}, ${name}: ${whole.segments.read} segments in ${(ms / 1_000).toFixed(1)} s`);
      return ms;
    });
    const peaks = await peaksOf(ground, time);
    const { read } = whole.segments;
    return {
      rows: [
        rowOf('k', `a search of ${read} segments, fetched from the store`, 'ms', took.lifeboat),
        rowOf('k', `pgbackrest archive-get of the same ${read}, one by one, then pg_waldump`, 'ms', took['by hand']),
        rowOf('k', `a search of the same ${read} segments, fetched before`, 'ms', took.reading),
        rowOf('k', `pg_waldump of the same ${read} segments, fetched before`, 'ms', took.waldump),
        rowOf('k', 'memory of the host worker, peak in a search of a quarter', 'bytes', [peaks.quarter]),
        rowOf('k', 'memory of the host worker, peak in a search of all', 'bytes', [peaks.all]),
      ],
      goals: [
        atMost('k', 'search / pg_waldump, of the same files', medianRatio(took.reading, took.waldump), 1.5),
        atMost(
          'k',
          'search / the same by hand, fetched from the store',
          medianRatio(took.lifeboat, took['by hand']),
          1,
        ),
        atMost('k', 'memory, all segments / a quarter of them', peaks.all / peaks.quarter, memoryMayGrow),
      ],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Turn {
  time: { from: string; to: string };
  folder: string;
  whole: Search;
}

async function turn(ground: Ground, name: Contestant, { time, folder, whole }: Turn): Promise<number> {
  if (name === 'lifeboat') return (await searched(ground, time)).readingMs;
  const started = performance.now();
  if (name === 'by hand') await fetch(ground, folder, whole);
  await (name === 'reading' ? read(ground, folder, whole) : dump(ground, folder, whole));
  return performance.now() - started;
}

/** As `searchWal` reads, without a store: what it works with are links to the files. */
async function read({ estate: { site }, segmentBytes }: Ground, folder: string, whole: Search): Promise<void> {
  const room = join(folder, 'room');
  await mkdir(room);
  const tally = new Tally({ fromMs: Date.parse(whole.from), toMs: Date.parse(whole.to), leastRows: whole.leastRows });
  const stretch = {
    names: namesOf(whole.segments, segmentBytes),
    segmentBytes,
    serverVersion: await versionOf(site),
    fetch: async (name: string, to: string) => {
      await link(join(folder, name), to);
      return true;
    },
  };
  await countStretch(stretch, room, { postgresql: site.programs.postgresql }, tally);
  await rm(room, { recursive: true });
}

async function versionOf(site: Ground['estate']['site']): Promise<number> {
  return withServer(site, 'db1', 'postgres', async (client) => {
    const { rows } = await client.query<{ version: number }>(
      "select current_setting('server_version_num')::int as version",
    );
    return rows[0]?.version ?? Number.NaN;
  });
}

async function searched(
  { client, signal }: Ground,
  time: { from?: string; to?: string },
): Promise<{ search: Search; readingMs: number }> {
  const { evidence } = await runbookEnded(client, 'find', { mode: 'live', names: false, ...time }, signal);
  const reading = evidence.measurements.find(({ name }) => name === 'reading');
  if (evidence.search === undefined || reading === undefined)
    throw new Error(`the search ${evidence.outcome}: ${evidence.failure?.message ?? 'without a reason'}`);
  return { search: evidence.search, readingMs: reading.value };
}

/** As a person would who knows which segments are meant. */
async function fetch({ estate, segmentBytes, signal }: Ground, folder: string, { segments }: Search): Promise<void> {
  const { site } = estate;
  const words = [`--config=${site.layout.host('db2').backupConfiguration}`, `--stanza=${stanza}`, 'archive-get'];
  for (const name of namesOf(segments, segmentBytes))
    await command(site.programs.pgbackrest, [...words, name, join(folder, name)], { account: site.account, signal });
}

async function folderFor({ estate: { site } }: Ground): Promise<string> {
  const folder = join(site.layout.root, 'wal-by-hand');
  await mkdir(folder, { recursive: true });
  await giveTo(site.account, folder);
  return folder;
}

async function dump({ estate, signal }: Ground, folder: string, { segments }: Search): Promise<void> {
  const { site } = estate;
  await execa(join(site.programs.postgresql, 'pg_waldump'), [`--path=${folder}`, segments.first, segments.last], {
    ...(site.account.ids ?? {}),
    stdin: 'ignore',
    stdout: 'ignore',
    cwd: '/',
    cancelSignal: signal,
  });
}

async function peaksOf(ground: Ground, { from, to }: { from: string; to: string }) {
  const peakOf = async (until: number) => {
    const pid = pidOf(ground, 'host-db2');
    await forgetPeak(pid);
    await searched(ground, { from, to: new Date(until).toISOString() });
    return memoryOf(pid, 'VmHWM');
  };
  const [first, last] = [Date.parse(from), Date.parse(to)];
  const quarter = await peakOf(first + (last - first) / 4);
  return { quarter, all: await peakOf(last) };
}
