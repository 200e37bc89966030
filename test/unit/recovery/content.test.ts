import { expect, test } from 'vitest';
import { judgeFirstPage, judgeFork, type Known, readFirstPage } from '../../../recovery/content.ts';
import { fileOf, historiesOf, megabyte, repositoryOf } from './made-up.ts';

/** Timeline 2 left timeline 1 at 0/A00100. */
const known: Known = repositoryOf([fileOf(1, 9), fileOf(2, 10), fileOf(2, 11)], historiesOf([10]));

function pageOf(over: { timeline?: number; at?: bigint; system?: bigint; size?: number; big?: boolean } = {}) {
  const little = over.big !== true;
  const view = new DataView(new ArrayBuffer(8192));
  view.setUint16(0, 0xd110, little);
  view.setUint16(2, 0x0002, little);
  view.setUint32(4, over.timeline ?? 1, little);
  view.setBigUint64(8, over.at ?? 0x900000n, little);
  view.setBigUint64(24, over.system ?? 7710621364788803446n, little);
  view.setUint32(32, over.size ?? megabyte, little);
  return readFirstPage(new Uint8Array(view.buffer));
}

const ninth = '000000010000000000000009';
const judge = (segment: string, page: ReturnType<typeof pageOf>) => judgeFirstPage(known, segment, page)?.kind;

test.each([false, true])('a first page that fits its name is right, in either byte order', (big) => {
  expect(judge(ninth, pageOf({ big }))).toBeUndefined();
});

test.each([
  ['of another cluster', { system: 1n }, 'foreign-segment'],
  ['of another size of segments', { size: 16 * megabyte }, 'segment-size'],
  ['of another place', { at: 0x800000n }, 'misplaced-segment'],
  ['of a branch that its history does not know', { timeline: 3 }, 'other-branch'],
])('a first page %s is found', (_what, over, kind) => {
  expect(judge(ninth, pageOf(over))).toBe(kind);
});

test('in the segment of a fork the first page is still of the older timeline, in the next one it is not', () => {
  const first = '00000002000000000000000A';
  const second = '00000002000000000000000B';
  expect(judge(first, pageOf({ at: 0xa00000n, timeline: 1 }))).toBeUndefined();
  expect(judge(first, pageOf({ at: 0xa00000n, timeline: 2 }))).toBe('other-branch');
  expect(judge(second, pageOf({ at: 0xb00000n, timeline: 2 }))).toBeUndefined();
  expect(judge(second, pageOf({ at: 0xb00000n, timeline: 1 }))).toBe('other-branch');
});

test('what is no WAL is damage', () => {
  expect(judge(ninth, readFirstPage(new Uint8Array(8192)))).toBe('damaged-segment');
  expect(judge(ninth, readFirstPage(new Uint8Array(10)))).toBe('damaged-segment');
});

const promotion = (lsn: string, from = 1) => ({
  lsn,
  what: 'END_OF_RECOVERY',
  promotion: { lsn, timeline: 2, from },
});

test('a timeline that begins with its promotion is right, also after a note of a crash', () => {
  expect(judgeFork(known, 2, [promotion('0/A00100')])).toBeUndefined();
  const note = { lsn: '0/A00100', what: 'OVERWRITE_CONTRECORD' };
  expect(judgeFork(known, 2, [note, promotion('0/A00138')])).toBeUndefined();
});

test.each([
  ['no record', []],
  ['a promotion elsewhere', [promotion('0/A00178')]],
  ['a promotion from another timeline', [promotion('0/A00100', 3)]],
  ['a checkpoint of the old primary first', [{ lsn: '0/A00100', what: 'CHECKPOINT_SHUTDOWN' }, promotion('0/A00178')]],
])('a timeline that begins with %s is of another server', (_what, records) => {
  expect(judgeFork(known, 2, records)?.kind).toBe('fork-differs');
});
