import { describe, expect, test } from 'vitest';
import type { Step } from '../../../evidence/evidence.ts';
import { endWaits, noteOutage, type OutageNote, waitedMs, waitSentence } from '../../../evidence/waits.ts';

const at = (text: string) => Date.parse(`2026-11-21T${text}Z`);
const step = (): Step => ({
  id: 'database/restore',
  name: 'Restore the backup beside',
  group: 'database',
  kind: 'change',
  state: 'running',
  startedAt: '2026-11-21T14:00:00.000Z',
});
const note = (more: Partial<OutageNote> = {}): OutageNote => ({
  activity: 'database/restore',
  what: 'the backup repository',
  why: 'connection refused',
  sinceMs: 5_000,
  leftMs: 600_000,
  ...more,
});

describe('a step that waits', () => {
  test('says for what, since when, until when, and what it sees', () => {
    const one = step();
    noteOutage(one, note(), at('14:02:05'));
    expect(waitSentence(one)).toBe(
      'waits for the backup repository since 14:02:00Z, gives up at 14:12:05Z: connection refused',
    );
  });

  test('that waits no longer says how long it has waited, all outages together', () => {
    const one = step();
    noteOutage(one, note(), at('14:02:05'));
    noteOutage(one, note({ over: true }), at('14:02:30'));
    noteOutage(one, note({ sinceMs: 0 }), at('14:05:00'));
    noteOutage(one, note({ over: true }), at('14:05:10'));
    expect(waitedMs(one)).toBe(40_000);
    expect(waitSentence(one)).toBe('waited 40 s for the backup repository');
  });

  test('goes on with the same wait when another attempt takes over', () => {
    const one = step();
    noteOutage(one, note(), at('14:02:05'));
    noteOutage(one, note({ sinceMs: 0, leftMs: 500_000 }), at('14:03:45'));
    expect(one.waits).toHaveLength(1);
    expect(one.waits?.[0]).toMatchObject({
      since: '2026-11-21T14:02:00.000Z',
      givesUpAt: '2026-11-21T14:12:05.000Z',
    });
  });

  test('that has ended waits no longer', () => {
    const one = step();
    noteOutage(one, note(), at('14:02:05'));
    one.endedAt = '2026-11-21T14:03:00.000Z';
    endWaits(one);
    expect(waitedMs(one)).toBe(60_000);
  });
});
