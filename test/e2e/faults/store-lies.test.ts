/** The object store answers, and what it says is wrong. Nobody may believe it: no drill is proven by it, and nothing is waited for. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { RunSummary } from '../../../evidence/evidence.ts';
import { buckets } from '../../../lab/backrest.ts';
import { sampled } from '../../sample.ts';
import { backup, drill, ended, start, until, useEstate } from '../drill/scenario.ts';
import { filesBelow } from '../observer.ts';
import { startWith } from './start-with.ts';
import { byDoor, byRule, type MomentName, moments, refused, strike, type Trouble } from './store-moments.ts';
import { lastArchived, nothingIsLeft } from './store-observer.ts';

const scenario = useEstate({ load: { ordersPerSecond: 5 } });

beforeAll(async () => {
  await backup(scenario());
  await until('commits in several segments after the backup are archived', async () => {
    const { target, backup: from } = await ended(await start(scenario(), 'monthlyDrill', { mode: 'dry-run' }));
    return Date.parse(target?.at ?? '') > Date.parse(from?.stoppedAt ?? '') + 6_000 ? true : undefined;
  });
}, 180_000);

/** Of the requests of a moment: each answer is another than it should be. */
function lies(moment: MomentName): { moment: MomentName; name: string; trouble: Trouble }[] {
  const { path } = moments[moment];
  return [
    byRule('gives damaged content', { method: 'GET', path, fault: { kind: 'flip', atByte: 3_000 } }),
    byRule("gives another object's content", { method: 'GET', path, fault: { kind: 'other' } }),
    byRule('gives half of the content', {
      method: 'GET',
      path,
      fault: { kind: 'truncate', afterBytes: 500, announce: 'short' },
    }),
  ].map((trouble) => ({ moment, name: trouble.name, trouble }));
}

test.each(sampled([...lies('the restore'), ...lies('the fetching of WAL')], 2, 'store lies'))(
  'in $moment: a store that $name is found out, and the failure says what is wrong',
  async ({ moment, trouble }) => {
    const handle = await startWith(scenario(), 'monthlyDrill', {}, {});
    try {
      await strike(scenario(), handle, moment, trouble);
      const evidence = await ended(handle);
      expect(evidence).toMatchObject({ outcome: 'not-proven', leftBehind: [] });
      // WAL that is sound in itself, and out of its place, is called the archive's fault.
      expect(['BackupCorrupt', 'ArchiveUnsound']).toContain(evidence.failure?.type);
      expect(evidence.steps.flatMap((step) => step.waits ?? [])).toEqual([]);
      await nothingIsLeft(scenario());
    } finally {
      await trouble.end(scenario());
    }
  },
  300_000,
);

test('a listing of an hour ago is not believed: what the server has archived since is missing in it', async () => {
  const { faults } = scenario().estate;
  await faults.add({ method: 'GET', path: 'list-type=2.*archive', fault: { kind: 'old' } });
  try {
    await ended(await start(scenario(), 'monthlyDrill', { mode: 'dry-run' }));
    const before = await lastArchived(scenario());
    await until('more is archived', async () => ((await lastArchived(scenario())) > before ? true : undefined));
    const evidence = await drill(scenario());
    expect(evidence).toMatchObject({ outcome: 'not-proven', failure: { type: 'ArchiveGap' } });
    expect(evidence.failure?.message).toContain(before.slice(0, 8));
  } finally {
    await faults.clear();
  }
}, 180_000);

describe('TLS is broken', () => {
  const broken = [
    byDoor('shows a certificate that nobody knows', 'stranger'),
    byDoor('shows a certificate that is over', 'expired'),
    byDoor('speaks without TLS', 'plain'),
  ];
  const at: MomentName[] = ['the archive check', 'the restore', 'the replay'];
  test.each(
    sampled(
      at.flatMap((moment) => broken.map((trouble) => ({ moment, name: trouble.name, trouble }))),
      1,
      'store tls',
    ),
  )(
    'in $moment: a store that $name is refused, and StoreRefused says why',
    async ({ moment, trouble }) => {
      const handle = await startWith(scenario(), 'monthlyDrill', {}, { database: '40s' });
      try {
        await strike(scenario(), handle, moment, trouble);
        const evidence = await ended(handle);
        expect(evidence).toMatchObject({ outcome: 'not-proven', leftBehind: [], failure: { type: 'StoreRefused' } });
        expect(evidence.failure?.message).toMatch(/certificate|TLS/);
        await nothingIsLeft(scenario());
      } finally {
        await trouble.end(scenario());
      }
    },
    300_000,
  );
});

describe('the evidence cannot be stored', () => {
  const path = '^/evidence/.*/runs/';
  const troubles = [
    refused,
    byDoor('accepts and never answers', 'silent'),
    byDoor('shows a certificate that is over', 'expired'),
    byRule('answers 503', { path, fault: { kind: 'status', status: 503 } }),
    byRule('gives back other than it was given', { method: 'GET', path, fault: { kind: 'flip', atByte: 100 } }),
    byRule('says yes and keeps nothing', { method: 'PUT', path, fault: { kind: 'status', status: 200 } }),
  ].map((trouble) => ({ name: trouble.name, trouble }));

  test.each(sampled(troubles, 1, 'store evidence'))(
    'by a store that $name: the drill ends proven, and its evidence comes home by itself when the store is back',
    async ({ trouble }) => {
      const { site } = scenario().estate;
      const handle = await start(scenario(), 'monthlyDrill', {});
      let summary: RunSummary;
      try {
        await strike(scenario(), handle, 'the evidence', trouble);
        summary = await handle.result();
        expect(summary.outcome).toBe('proven');
        expect(summary.evidence.startsWith(site.layout.evidence)).toBe(true);
        expect(sha256(await readFile(summary.evidence))).toBe(summary.sha256);
      } finally {
        await trouble.end(scenario());
      }
      const bucket = join(site.layout.store, 'objects', buckets.evidence);
      const stored = await until(
        'the evidence is in the store',
        async () => {
          const files = await filesBelow(
            bucket,
            (name) => name.includes(summary.run) && name.endsWith('evidence.json'),
          );
          return Object.values(files)[0];
        },
        120_000,
      );
      expect(stored).toBe(summary.sha256);
      await until('nothing waits any more', async () =>
        Object.keys(await filesBelow(site.layout.evidence)).length === 0 ? true : undefined,
      );
    },
    300_000,
  );
});

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
