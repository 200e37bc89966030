import { describe, expect, test } from 'vitest';
import { atLeast, atMost, rowOf } from '../../../bench/findings.ts';
import { renderMarkdown, renderTerminal } from '../../../bench/render.ts';
import { withTable } from '../../../bench/report.ts';
import { type Result, resultSchema } from '../../../bench/result.ts';

const result: Result = {
  schema: 'lifeboat-bench/1',
  startedAt: '2026-11-21T17:00:00.000Z',
  tookMs: 840_000,
  rounds: 3,
  machine: {
    cores: 2,
    processor: 'Some Processor',
    memoryBytes: 24 * 1024 ** 3,
    disk: 'ext4 on a virtual disk',
    system: 'Linux 6.1',
    versions: { PostgreSQL: '15.18', Node: '20.20.2' },
  },
  ground: { orders: 450_000, backupBytes: 1.16e9, segments: 40, segmentBytes: 16 * 1024 ** 2 },
  rows: [
    rowOf('a', 'restore to target, Lifeboat', 'ms', [11_000, 12_000, 10_500]),
    rowOf('c', 'a step', 'ms', [12.34]),
  ],
  goals: [atMost('a', 'Lifeboat / defaults', 0.79, 0.85), atLeast('d', 'orders/s', 0.9, 0.95)],
};

describe('the report of the bench', () => {
  test('is what its schema says', () => {
    expect(resultSchema.parse(result)).toEqual(result);
    expect(resultSchema.safeParse({ ...result, goals: [{ ...result.goals[0], met: 'yes' }] }).success).toBe(false);
  });

  test('names the machine, every median, and which goals were met', () => {
    const text = renderTerminal(result);
    expect(text).toContain('2 cores (Some Processor), 24 GB of memory');
    expect(text).toMatch(/a {2}restore to target, Lifeboat {2}11\.0 s {3}11\.0 s, 12\.0 s, 10\.5 s/);
    expect(text).toMatch(/Lifeboat \/ defaults {2}0\.79 +at most 0\.85 +met/);
    expect(text).toMatch(/orders\/s +0\.90 +at least 0\.95 +not met/);
  });

  test('tells of no backup where none was measured', () => {
    const { ground: _ground, ...without } = result;
    const rows = [rowOf('h', 'runs in the cache of control', 'runs', [1_500])];
    const text = renderTerminal({ ...without, rows });
    expect(resultSchema.parse({ ...without, rows })).toEqual({ ...without, rows });
    expect(text).toContain('3 rounds in turns, medians; 21 Nov 2026, 14 min');
    expect(text).not.toContain('restored');
    expect(renderMarkdown({ ...without, rows, goals: [] })).not.toContain('wanted');
    expect(text).toMatch(/h {2}runs in the cache of control {2}1,500/);
  });

  test('replaces what stands between the marks of a page, and nothing else of it', () => {
    const page = '# Bench\n<!-- bench: begin -->\nold\n<!-- bench: end -->\nAfter.\n';
    const renewed = withTable(page, renderMarkdown(result));
    expect(renewed).toMatch(/^# Bench\n<!-- bench: begin -->\nMeasured on 2 cores/);
    expect(renewed).toMatch(/<!-- bench: end -->\nAfter\.\n$/);
    expect(renewed).not.toContain('old');
    expect(withTable(renewed, renderMarkdown(result))).toBe(renewed);
  });

  test('is the whole file where no page waits for it', () => {
    expect(withTable(undefined, 'table')).toBe('table\n');
  });
});
