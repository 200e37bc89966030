import { describe, expect, test } from 'vitest';
import { type ArchivedFile, readArchiveListing } from '../../../recovery/listing.ts';
import { fileOf, megabyte } from './made-up.ts';

/** What pgBackRest 2.45 lists (repo-ls --recurse) after a full backup, a promotion and an incremental backup. */
const real: ArchivedFile[] = [
  ['15-1/0000000100000000/000000010000000000000006-5ea897c99a59cb7cae8e69d93bc5958a1b554624.zst', 871],
  ['15-1/0000000100000000/000000010000000000000007-0c4a5e239721d9997af87ec3f82c61cb8bfb5b8d.zst', 197],
  ['15-1/0000000100000000/000000010000000000000007.00000028.backup', 368],
  ['15-1/0000000100000000/000000010000000000000008-cc7683f8d39d8a043d70f044cde2b03cb511e7df.zst', 201707],
  ['15-1/0000000100000000/000000010000000000000009-b17d21a0cadd4148e46345959222e0b71474d76f.zst', 59198],
  ['15-1/0000000100000000/00000001000000000000000A-dd501fc02141be25f7a7852de9c202dff883b670.zst', 192244],
  ['15-1/0000000100000000/00000001000000000000000B-bb45de6dc1bc737f12506291657198a612299668.zst', 43005],
  ['15-1/0000000100000000/00000001000000000000000C.partial-195dc83a448a4ebe231f35286ba971e7f1cfe72f.zst', 126],
  ['15-1/00000002.history', 40],
  ['15-1/0000000200000000/00000002000000000000000C-1d3d5b7096aa615485442d4d80a6d786cc8b78ec.zst', 193551],
  ['15-1/0000000200000000/00000002000000000000000D-687c8977b74399f5004bd7b3fa212aaeffdf7dbb.zst', 45574],
  ['15-1/0000000200000000/00000002000000000000000E-2c0fcbc54c586ed1b88bbd3178cc4c53ed8ee697.zst', 268],
  ['15-1/0000000200000000/00000002000000000000000E.00000028.backup', 368],
  ['15-1/0000000200000000/00000002000000000000000F-d740d8008a6deb619c086f7cad3705abc1386b45.zst', 124],
  ['archive.info', 253],
  ['archive.info.copy', 253],
].map(([name, bytes]) => ({ name: String(name), bytes: Number(bytes) }));
const histories = { '00000002.history': '1\t0/C000A0\tno recovery target specified\n' };

describe('the listing of an archive', () => {
  test('that pgBackRest gave is read without an oddity', () => {
    expect(readArchiveListing(real, histories, megabyte)).toEqual({
      timelines: [
        {
          id: 1,
          ancestors: [],
          hasHistory: false,
          ranges: [{ first: '000000010000000000000006', last: '00000001000000000000000B', count: 6 }],
        },
        {
          id: 2,
          parent: 1,
          forkLsn: '0/C000A0',
          ancestors: [{ timeline: 1, forkLsn: '0/C000A0' }],
          hasHistory: true,
          ranges: [{ first: '00000002000000000000000C', last: '00000002000000000000000F', count: 4 }],
        },
      ],
      oddities: [],
    });
  });

  test('shows a missing segment as two ranges, in whatever order the files come', () => {
    const files = [9, 3, 5, 4, 8].map((number) => fileOf(1, number));
    expect(readArchiveListing(files, {}, megabyte).timelines[0]?.ranges).toEqual([
      { first: '000000010000000000000003', last: '000000010000000000000005', count: 3 },
      { first: '000000010000000000000008', last: '000000010000000000000009', count: 2 },
    ]);
  });

  const oddities = (files: ArchivedFile[], more: Record<string, string> = {}): string[] =>
    readArchiveListing([...real, ...files], { ...histories, ...more }, megabyte).oddities.map(({ why }) => why);

  test('names a segment that is stored with two contents', () => {
    expect(oddities([fileOf(1, 8, 'b'.repeat(40))])).toEqual([
      '000000010000000000000008 is stored 2 times with different content',
    ]);
  });

  test('names an empty file, a partial segment away from a fork, and strangers', () => {
    const at = '15-1/0000000100000000';
    expect(
      oddities([
        { name: `${at}/000000010000000000000005-${'c'.repeat(40)}.zst`, bytes: 0 },
        { name: `${at}/000000010000000000000009.partial-${'c'.repeat(40)}.zst`, bytes: 9 },
        { name: `${at}/notes.txt`, bytes: 9 },
        { name: `${at}/000000010000000000000009-${'c'.repeat(40)}.zst.pgbackrest.tmp`, bytes: 9 },
        { name: `${at}/000000010000000000001000-${'c'.repeat(40)}.zst`, bytes: 9 },
      ]),
    ).toEqual([
      '000000010000000000000009.partial lies where no timeline was left',
      `${at}/000000010000000000000005-${'c'.repeat(40)}.zst is empty`,
      `${at}/000000010000000000000009-${'c'.repeat(40)}.zst.pgbackrest.tmp is not a file of a WAL archive`,
      `${at}/000000010000000000001000-${'c'.repeat(40)}.zst cannot exist with segments of 1048576 bytes`,
      `${at}/notes.txt is not a file of a WAL archive`,
    ]);
  });

  test.each([
    ['an empty one', '', 'it names no ancestor'],
    ['one that is cut off', '1\t0/C0', 'its last line is cut off'],
    ['one without an LSN', '1\tno recovery target\n', 'line 1 has no timeline and LSN: "1\tno recovery target"'],
    ['one that goes back', '2\t0/1\tx\n1\t0/2\tx\n', 'timeline 1 does not come after timeline 2'],
    ['one that names itself', '3\t0/1\tx\n', 'it names timeline 3 as an ancestor of 3'],
  ])('reads a history file as strictly as PostgreSQL: %s', (_what, text, problem) => {
    const found = oddities([{ name: '15-1/00000003.history', bytes: 9 }], { '00000003.history': text });
    expect(found).toEqual([`00000003.history is not a timeline history: ${problem}`]);
  });

  test('says which history file could not be read', () => {
    expect(oddities([{ name: '15-1/00000003.history', bytes: 9 }])).toEqual([
      '00000003.history is in the archive but could not be read',
    ]);
  });

  test('leaves out the WAL of the cluster before a major upgrade', () => {
    const newer = [{ ...fileOf(1, 1), name: fileOf(1, 1).name.replace('15-1', '16-2') }];
    const { timelines, oddities: found } = readArchiveListing([...real, ...newer], {}, megabyte);
    expect(timelines.map(({ id, ranges }) => [id, ranges[0]?.first])).toEqual([[1, '000000010000000000000001']]);
    expect(found).toEqual([]);
  });
});
