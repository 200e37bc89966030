/** The bench's parts that need no large estate, as small as they go: what they measure is of no account here, that they measure it is. */
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type PartLetter, type Result, resultSchema } from '../../../bench/result.ts';
import { sampled } from '../../sample.ts';

vi.setConfig({ testTimeout: 400_000 });

const program = fileURLToPath(new URL('../../../dist/bench/bench.js', import.meta.url));

let folder = '';
beforeAll(async () => {
  // A short name: a socket's path may have no more than 107 bytes.
  folder = await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'b-'));
  await chmod(folder, 0o755);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function benched(only: string): Promise<Result> {
  const json = join(folder, 'result.json');
  const words = ['--only', only, '--rounds', '1', '--scale', '0.01', '--folder', folder, '--json', json];
  const { stdout } = await execa(process.execPath, [program, ...words]);
  expect(await readdir(folder)).toEqual(['result.json']);
  const result = resultSchema.parse(JSON.parse(await readFile(json, 'utf8')));
  for (const { name } of result.rows) expect(stdout).toContain(name);
  return result;
}

function rowOf({ rows }: Result, part: PartLetter, name: RegExp) {
  const found = rows.filter((row) => row.part === part && name.test(row.name));
  expect(found.map((row) => row.name)).toHaveLength(1);
  return found[0];
}

const cases = [
  {
    only: 'g,h',
    what: 'clicks are answered, alone and among parked runs that all are in the cache of one worker',
    async look() {
      const result = await benched('g,h');
      expect(rowOf(result, 'g', /^approval round trip, Lifeboat$/)?.samples).toHaveLength(4);
      const starts = rowOf(result, 'g', /^click to the start of the next step, as/)?.samples ?? [];
      const trips = rowOf(result, 'g', /^approval round trip, a bare workflow$/)?.samples ?? [];
      expect([starts.length, trips.length]).toEqual([4, 4]);
      for (const took of [...starts, ...trips]) expect(took).toBeGreaterThan(0);
      expect(rowOf(result, 'g', /^approval round trip, Lifeboat \/ bare workflow$/)?.median).toBeGreaterThan(0);
      expect(rowOf(result, 'h', /^runs in the cache of control, 5 runs of 5 services parked$/)?.median).toBe(5);
      expect(rowOf(result, 'h', /^approval round trip, 5 runs of 5 services parked$/)?.samples).toHaveLength(4);
      expect(rowOf(result, 'h', /^runs that control keeps in its cache at most$/)?.median).toBeGreaterThan(9);
      expect(result).not.toHaveProperty('ground');
      expect(result.goals).toEqual([]);
    },
  },
  {
    only: 'i',
    what: 'eight hours of waiting make a history longer, by few events for each status update',
    async look() {
      const result = await benched('i');
      const atOnce = rowOf(result, 'i', /given at once, events$/)?.median ?? Number.NaN;
      const late = rowOf(result, 'i', /given after 8h .* events$/)?.median ?? Number.NaN;
      expect(late - atOnce).toBeGreaterThan(15 * 5);
      expect(late).toBeLessThan(500);
      expect(rowOf(result, 'i', /given after 8h .* bytes$/)?.median).toBeGreaterThan(10_000);
    },
  },
  {
    only: 'j',
    what: 'two servers change places there and back, by Lifeboat and by the script, and a customer says for how long he could not write',
    async look() {
      const result = await benched('j');
      const lifeboat = rowOf(result, 'j', /by Lifeboat$/)?.samples ?? [];
      const script = rowOf(result, 'j', /by a script with pg_ctl$/)?.samples ?? [];
      expect(lifeboat).toHaveLength(2);
      expect(script).toHaveLength(2);
      // To stop one server and promote another takes a part of a second at the very least.
      for (const gap of [...lifeboat, ...script]) expect(gap).toBeGreaterThan(50);
      expect(result.goals).toMatchObject([{ part: 'j', unit: 'ms', limit: 3_000, direction: 'at most' }]);
    },
  },
];

test.each(sampled(cases, 1, 'bench'))('$what ($only)', ({ look }) => look());
