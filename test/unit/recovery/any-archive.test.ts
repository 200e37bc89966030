/** Whatever lies in an archive, and whatever its histories and its catalogue of backups say: it is told, drawn, and judged in words. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { archiveInWords } from '../../../cli/archive/words.ts';
import type { BackupInfo, Repository } from '../../../recovery/archive.ts';
import { diagnose } from '../../../recovery/diagnosis.ts';
import { readArchiveListing } from '../../../recovery/listing.ts';
import { segmentsWorthReading } from '../../../recovery/needed.ts';
import { withoutStrangeBackups } from '../../../recovery/strange-backups.ts';
import { recoveryWindow } from '../../../recovery/window.ts';
import { backupAt, megabyte } from './made-up.ts';

const systemIdentifier = '7';
const eight = fc.oneof(
  fc.constantFrom('00000000', '00000001', '00000002', '00000003', '00000FFF', '00001000', 'FFFFFFFF'),
  fc.integer({ min: 0, max: 30 }).map((number) => number.toString(16).toUpperCase().padStart(8, '0')),
);
const segment = fc
  .tuple(eight, fc.constantFrom('00000000', '00000001', 'FFFFFFFF'), eight)
  .map((parts) => parts.join(''));
const ending = fc.constantFrom(
  ...['', '.zst', '.partial', '-zzz', '.00000028.backup', `-${'c'.repeat(40)}`],
  ...[`-${'a'.repeat(40)}.zst`, `.partial-${'b'.repeat(40)}.lz4`],
);
const file = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(segment, ending).map(([name, end]) => `15-1/${name.slice(0, 16)}/${name}${end}`) },
  { weight: 3, arbitrary: eight.map((timeline) => `15-1/${timeline}.history`) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('archive.info', '14-1/00000002.history', `16-2/0000000100000000/${'0'.repeat(24)}.zst`),
  },
);
const lsn = fc
  .tuple(fc.constantFrom('0', '1', 'FFFFFFFF'), fc.integer({ min: 0, max: 0xffffffff }))
  .map(([high, low]) => `${high}/${low.toString(16).toUpperCase()}`);
const line = fc.oneof(
  fc.tuple(fc.integer({ min: 0, max: 12 }), lsn).map(([timeline, at]) => `${timeline}\t${at}\treason\n`),
  fc.constantFrom('\n', '# x\n', '1\t0', 'junk\n', '-1\t0/0\n', '99999999999999999999\t0/0\n'),
);
const histories = fc.dictionary(
  eight.map((timeline) => `${timeline}.history`),
  fc.array(line, { maxLength: 4 }).map((lines) => lines.join('')),
  { maxKeys: 5 },
);
const backup: fc.Arbitrary<BackupInfo> = fc
  .record({ startLsn: lsn, stopLsn: lsn, startWal: segment, stopWal: segment, error: fc.boolean() })
  .chain((over) => fc.integer({ min: 1, max: 8 }).map((timeline) => backupAt(1, timeline, timeline, over)));
const files = fc.array(
  fc.tuple(file, fc.constantFrom(0, 871)).map(([name, bytes]) => ({ name, bytes })),
  { maxLength: 25 },
);

test('any archive is told: each timeline stands in the tree once, and nothing is undefined', () => {
  fc.assert(
    fc.property(
      fc.record({ files, histories, backups: fc.array(backup, { maxLength: 4 }) }),
      fc.integer({ min: 1, max: 8 }),
      fc.option(lsn, { nil: undefined }),
      (held, timeline, at) => {
        const listing = readArchiveListing(held.files, held.histories, megabyte);
        const own = withoutStrangeBackups(held.backups, megabyte);
        const oddities = [...listing.oddities, ...own.oddities];
        const repository: Repository = { ...listing, ...own, oddities, segmentBytes: megabyte, systemIdentifier };
        const writer = at === undefined ? {} : { writer: { timeline, lsn: at, systemIdentifier } };
        segmentsWorthReading(repository, timeline);
        const words = archiveInWords(
          {
            ...{
              service: 'orders',
              stanza: 'orders',
              config: '/x',
              systemIdentifier,
              segmentBytes: megabyte,
              timeline,
            },
            ...(at === undefined ? { silent: 'DatabaseUnreachable: nobody answers' } : { lsn: at }),
            branches: repository.timelines.map((info) => {
              const { from, to, gaps } = recoveryWindow(repository, [], info.id);
              return { ...info, window: { ...(from && { from }), ...(to && { to }), gaps } };
            }),
            backups: repository.backups,
            anchors: [],
            read: { segments: 0, of: 0, wholly: false },
            findings: diagnose(repository, timeline, { anchors: [], faults: [], ...writer }),
            notes: [],
          },
          (text) => text,
        );
        expect(words).not.toMatch(/undefined|NaN|\[object/);
        const drawn = words.split('\n').flatMap((one) => /[●○◆] timeline (\d+)(?:,|$)/.exec(one)?.[1] ?? []);
        expect(drawn.map(Number).sort((a, b) => a - b)).toEqual(repository.timelines.map(({ id }) => id));
      },
    ),
  );
});

test('a backup whose WAL has other names than this cluster can have is no backup of it, and is told', () => {
  const own = backupAt(4);
  const strange = { ...backupAt(5), label: '20261121-120900F', startWal: `00000001${'0'.repeat(8)}00001000` };
  expect(withoutStrangeBackups([own, strange], megabyte)).toEqual({
    backups: [own],
    oddities: [
      {
        kind: 'segment-size',
        name: strange.startWal,
        why: `backup 20261121-120900F needs ${strange.startWal}, which cannot exist with segments of 1048576 bytes`,
      },
    ],
  });
});
