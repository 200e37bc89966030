/** What a drill refuses, and in which words. Nothing live is touched by any of it. */
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import { backup, drill, ended, start, until, useEstate } from './scenario.ts';

const scenario = useEstate();

/** Changes the plan for one drill, and puts it back. */
async function withPlan(change: (text: string) => string, input: object = {}): Promise<Evidence> {
  const { planFile } = scenario().estate;
  const before = await readFile(planFile, 'utf8');
  const after = change(before);
  expect(after).not.toBe(before);
  await writeFile(planFile, after);
  try {
    return await drill(scenario(), input);
  } finally {
    await writeFile(planFile, before);
  }
}

/** Files of the backup store whose path matches, as the store keeps them on disk. */
async function stored(pattern: RegExp): Promise<string[]> {
  const { store } = scenario().estate.site.layout;
  const entries = await readdir(store, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => pattern.test(path))
    .sort();
}

const segmentOf = (path: string): string => /[0-9A-F]{24}(?=-[0-9a-f]{40})/.exec(path)?.[0] ?? '';

/** WAL segments in the archive, oldest first. */
const archived = async () =>
  (await stored(/\/[0-9A-F]{24}-[0-9a-f]{40}[^/]*$/)).sort((a, b) => (segmentOf(a) < segmentOf(b) ? -1 : 1));

const inAssessment = (evidence: Evidence) => evidence.steps.filter((step) => step.group === 'database').length === 0;

beforeAll(async () => {
  await backup(scenario());
});

describe('a drill is not proven', () => {
  test('to a moment before the first backup: TargetOutsideWindow, with the window', async () => {
    const evidence = await drill(scenario(), { target: '2020-01-01T00:00:00Z' });
    expect(evidence).toMatchObject({ outcome: 'not-proven', failure: { type: 'TargetOutsideWindow' } });
    expect(evidence.failure?.message).toMatch(/the window is \d{4}-\d\d-\d\dT.* to \d{4}-\d\d-\d\dT/);
  });

  test('with a segment missing in the middle: ArchiveGap names it, in assessment', async () => {
    await backup(scenario());
    const before = (await archived()).length;
    // More segments must follow it, so that this one lies in the middle.
    const segments = await until('three segments after the backup', async () => {
      const all = await archived();
      return all.length >= before + 3 ? all : undefined;
    });
    const victim = segments[before] ?? '';
    const away = join(scenario().estate.root, 'taken-away');
    await rename(victim, away);
    try {
      const evidence = await drill(scenario());
      expect(evidence.failure?.type).toBe('ArchiveGap');
      expect(evidence.failure?.message).toContain(segmentOf(victim));
      expect(inAssessment(evidence)).toBe(true);
    } finally {
      await rename(away, victim);
    }
  });

  test('with one byte flipped in the stored backup: BackupCorrupt names the file', async () => {
    const { backup: newest } = await backup(scenario());
    const files = await stored(new RegExp(`${newest?.label}/.*(bundle/\\d+|pg_data/.*)$`));
    const victim = files.find((path) => path.includes('bundle')) ?? files[0] ?? '';
    const content = await readFile(victim);
    const damaged = Buffer.from(content);
    const middle = Math.floor(damaged.length / 2);
    damaged[middle] = (damaged[middle] ?? 0) ^ 0xff;
    await writeFile(victim, damaged);
    try {
      const evidence = await drill(scenario());
      expect(evidence).toMatchObject({ outcome: 'not-proven', failure: { type: 'BackupCorrupt' } });
      expect(evidence.failure?.message).toContain(newest?.label);
      expect(evidence.leftBehind).toEqual([]);
    } finally {
      await writeFile(victim, content);
      await backup(scenario());
    }
  });

  test('on a disk that is too small: DiskFull, before anything is restored', async () => {
    const evidence = await withPlan((text) => text.replace(/keepFree: .*/, 'keepFree: 900TB'));
    expect(evidence.failure?.type).toBe('DiskFull');
    expect(inAssessment(evidence)).toBe(true);
  });

  test('with a wrong S3 key: one clear sentence', async () => {
    const file = join(scenario().estate.root, 'wrong-key');
    await writeFile(file, 'AKIANOTOURS');
    const evidence = await withPlan((text) => text.replace(/accessKeyId: .*/, `accessKeyId: '\${file:${file}}'`));
    expect(evidence.failure).toMatchObject({ type: 'StoreRefused' });
    expect(evidence.failure?.message).toMatch(/key/i);
  });

  test('with a missing bucket: the bucket is named', async () => {
    const evidence = await withPlan((text) => text.replace(/bucket: .*/, 'bucket: nowhere'));
    expect(evidence.failure).toMatchObject({ type: 'StoreRefused' });
    expect(evidence.failure?.message).toContain('nowhere');
  });

  test('with a secret that does not resolve: it is named, and nothing else is', async () => {
    const evidence = await withPlan((text) =>
      text.replace(/secretAccessKey: .*/, "secretAccessKey: '$" + "{env:NOT_SET_HERE}'"),
    );
    expect(evidence.failure).toMatchObject({ type: 'SecretMissing' });
    expect(evidence.failure?.message).toContain('NOT_SET_HERE');
  });

  test('below a path outside of the permit file: NotPermitted names path and file', async () => {
    const evidence = await withPlan((text) => text.replace(/(drills:[\s\S]*directory: ).*/, '$1/var/tmp/elsewhere'));
    expect(evidence.failure).toMatchObject({ type: 'NotPermitted' });
    expect(evidence.failure?.message).toContain('/var/tmp/elsewhere');
    expect(inAssessment(evidence)).toBe(true);
  });
});

describe('before anything starts, a plan is refused with line and column', () => {
  test.each([
    ['an unknown key', [/criticalTables:/, 'critcalTables:'], /critcalTables.*criticalTables/],
    ['a naive time', [/schedule: .*/, 'schedule: first Saturday 02:00'], /UTC/],
    ['a secret in plain text', [/password: .*/, 'password: hunter2'], /\$\{env:NAME\}/],
    ['budgets beyond the RTO', [/database: 45m/, 'database: 5h'], /rto/i],
    ['a cadence that cannot meet the RPO', [/archiveTimeout: .*/, 'archiveTimeout: 10m'], /archive/],
    ['an unknown host', [/(drills:[\s\S]*?host: )\w+/, '$1db9'], /db9/],
  ] as const)('%s', async (_what, [from, to], words) => {
    const { planFile } = scenario().estate;
    const before = await readFile(planFile, 'utf8');
    const after = before.replace(from, to);
    expect(after).not.toBe(before);
    await writeFile(planFile, after);
    try {
      const handle = await start(scenario(), 'monthlyDrill', {});
      const error = await handle.result().catch((problem: unknown) => problem);
      const said = JSON.stringify(error, ['message', 'cause', 'type']);
      expect(said).toContain('PlanInvalid');
      expect(said).toMatch(/orders\.yaml:\d+:\d+/);
      expect(said).toMatch(words);
      expect(said).not.toContain('hunter2');
    } finally {
      await writeFile(planFile, before);
    }
  });
});

test('of two drills at once, the second names the first', async () => {
  const first = await start(scenario(), 'monthlyDrill', {});
  await until('the first drill holds the host', async () =>
    (await first.query<Evidence>('evidence')).steps.some((step) => step.group === 'assessment') ? true : undefined,
  );
  const second = await drill(scenario());
  expect(second.failure?.type).toBe('LockHeld');
  expect(second.failure?.message).toContain(first.workflowId);
  expect((await ended(first)).outcome).toBe('proven');
});
