import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Located, Locating } from '../../../recovery/locating.ts';
import { compareLsn, formatLsn } from '../../../recovery/lsn.ts';
import { readLine } from '../../../recovery/search/records.ts';
import { pathTo, timelineOfRecord } from '../../../recovery/timelines.ts';
import { readWantedTarget, type WantedTarget } from '../../../recovery/wanted-target.ts';
import { end, line } from './search/lines.ts';

const wantedFor = (text: string): WantedTarget => {
  const read = readWantedTarget(text);
  if ('wrong' in read) throw new Error(read.wrong);
  return read;
};

type Asked = Omit<ConstructorParameters<typeof Locating>[0], 'wanted'>;

function outcome(text: string, lines: string[], asked: Asked = {}): Located | { outside: string } {
  const locating = new Locating({ wanted: wantedFor(text), ...asked });
  for (const one of lines) {
    if (one.startsWith('gap ')) locating.gap(one.slice(4), '0/180');
    const read = readLine(one);
    if (read !== undefined) locating.add(read);
  }
  return locating.outcome('from A to B');
}

function located(text: string, lines: string[], asked: Asked = {}): Located {
  const found = outcome(text, lines, asked);
  if ('outside' in found) throw new Error(found.outside);
  return found;
}

function outside(text: string, lines: string[], asked: Asked = {}): string {
  const found = outcome(text, lines, asked);
  if ('outside' in found) return found.outside;
  throw new Error(`located: ${JSON.stringify(found)}`);
}

const at = (seconds: number) => `2026-11-21 14:00:${String(seconds).padStart(2, '0')}.000001`;
const iso = (seconds: number) => `2026-11-21T14:00:${String(seconds).padStart(2, '0')}.000001Z`;
const commit = (xid: number, seconds: number, lsn: string) => end(xid, { at: at(seconds) }, lsn);
const abort = (xid: number, seconds: number, lsn: string) => end(xid, { at: at(seconds), kind: 'ABORT' }, lsn);
const prepare = (xid: number, seconds: number, lsn: string) =>
  line('Transaction', xid, `PREPARE gid pay 2026: ${at(seconds)} UTC`, lsn);
const point = (name: string, lsn: string) =>
  line('XLOG', 0, `RESTORE_POINT ${Buffer.from(name).toString('latin1')}`, lsn);

const three = [commit(701, 1, '0/01000100'), commit(702, 2, '0/01000200'), commit(703, 3, '0/01000300')];

describe('a moment', () => {
  test('is just before the first transaction that ended past it; the moment itself is held', () => {
    expect(located(iso(2), three)).toEqual({
      lsn: '0/1000300',
      inclusive: false,
      last: { lsn: '0/1000200', at: iso(2), transaction: 702 },
      after: { transactions: 1, newestAt: iso(3), newestLsn: '0/1000300', earlier: 0 },
      notes: [],
    });
    expect(located('2026-11-21T14:00:02Z', three)).toMatchObject({ lsn: '0/1000200', last: { transaction: 701 } });
  });

  test('stops at a rollback past it, as PostgreSQL does, and counts it not as lost', () => {
    const lines = [three[0] ?? '', abort(702, 4, '0/01000200'), commit(703, 5, '0/01000300')];
    expect(located(iso(3), lines)).toMatchObject({ lsn: '0/1000200', inclusive: false, after: { transactions: 1 } });
  });

  test('leaves out a transaction of an earlier time that was committed after a later one, and says so', () => {
    const lines = [commit(701, 1, '0/100'), commit(702, 9, '0/200'), commit(703, 2, '0/300'), commit(704, 10, '0/400')];
    const found = located(iso(5), lines);
    expect(found).toMatchObject({ lsn: '0/200', last: { transaction: 701 }, after: { transactions: 3, earlier: 1 } });
    expect(found.notes.join()).toContain('1 of the transactions after it carry a time up to the wanted one');
  });

  test('past all that was read is no target: what is archived is named', () => {
    expect(outside(iso(4), three)).toMatch(
      /newest commit in it is transaction 703 .* at 0\/1000300.*write "0\/1000300"/,
    );
    expect(outside(iso(4), [])).toContain('no transaction has ended in the archive');
  });

  test('on an idle database is the last commit, once all up to that moment is known to be there', () => {
    expect(located(iso(40), three, { wholeUntil: iso(41) })).toMatchObject({
      lsn: '0/1000300',
      inclusive: true,
      last: { transaction: 703 },
      after: { transactions: 0 },
    });
    expect(outside(iso(40), three, { wholeUntil: iso(39) })).toContain('later than all');
    const withPrepared = [...three, prepare(704, 4, '0/01000400')];
    expect(located(iso(40), withPrepared, { wholeUntil: iso(41) })).toMatchObject({
      lsn: '0/1000400',
      inclusive: true,
    });
  });

  test('in a gap of the archive is no target; before one it is, and what is missing is said', () => {
    const lines = [
      commit(701, 1, '0/100'),
      'gap segments are missing',
      commit(702, 9, '0/200'),
      commit(703, 11, '0/300'),
    ];
    expect(outside(iso(5), lines)).toContain('lies in a part of the WAL that the archive lacks (segments are missing)');
    expect(located(iso(10), lines)).toMatchObject({ lsn: '0/300', notes: [] });
    const before = [commit(700, 0, '0/80'), ...lines];
    expect(located(iso(0), before)).toMatchObject({
      after: { atLeast: true },
      notes: [expect.stringContaining('is not counted')],
    });
    expect(located('0/200', before).notes).toEqual([]);
  });

  test('that leaves out the drop of a database says so: it is gone before that commits', () => {
    const lines = [
      commit(701, 1, '0/100'),
      line('Database', 702, 'DROP dir 1663/16400', '0/00000180'),
      commit(703, 2, '0/200'),
      commit(702, 6, '0/300'),
    ];
    expect(located(iso(5), lines)).toMatchObject({ lsn: '0/300', dropping: 702 });
    expect(located('before transaction 702', lines)).toMatchObject({ lsn: '0/300', dropping: 702 });
    expect(located('transaction 702', lines)).not.toHaveProperty('dropping');
    const meanwhile = located('before transaction 703', lines);
    expect(meanwhile).not.toHaveProperty('dropping');
    expect(meanwhile.notes.join()).toContain(
      'that database is not usable there. To have it write "before transaction 702"',
    );
    expect(located('before 0/300', lines).notes.join()).toContain('is not usable there');
    for (const text of ['transaction 702', 'transaction 701', '0/300']) expect(located(text, lines).notes).toEqual([]);
  });

  test('is where PostgreSQL stops, whatever the times and ends are', () => {
    const anEnd = fc.record({
      seconds: fc.integer({ min: 0, max: 9 }),
      kind: fc.constantFrom('COMMIT' as const, 'ABORT' as const),
      prepared: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(anEnd, { maxLength: 12 }), fc.integer({ min: 0, max: 9 }), (ends, target) => {
        const lines = ends.map(({ seconds, kind, prepared }, index) =>
          end(
            700 + index,
            { at: at(seconds), kind, ...(prepared && { prepared: 800 + index }) },
            formatLsn(BigInt(0x100 * (index + 1))),
          ),
        );
        // recoveryStopsBefore of PostgreSQL 15: a commit or an abort, of a prepared transaction too, whose time is past the target.
        const stop = ends.findIndex(({ seconds }) => seconds > target);
        const found = outcome(iso(target), lines);
        if (stop < 0) {
          expect(found).toHaveProperty('outside');
          return;
        }
        const committed = (from: number, to?: number) =>
          ends.slice(from, to).filter(({ kind }) => kind === 'COMMIT').length;
        expect(found).toMatchObject({
          lsn: formatLsn(BigInt(0x100 * (stop + 1))),
          inclusive: false,
          after: { transactions: committed(stop) },
        });
        expect('last' in found && found.last !== undefined).toBe(committed(0, stop) > 0);
      }),
    );
  });
});

describe('a transaction', () => {
  test('is its commit, held or left out', () => {
    expect(located('transaction 702', three)).toMatchObject({
      lsn: '0/1000200',
      inclusive: true,
      last: { transaction: 702 },
      after: { transactions: 1, newestAt: iso(3) },
    });
    expect(located('before transaction 702', three)).toMatchObject({
      lsn: '0/1000200',
      inclusive: false,
      last: { transaction: 701 },
      after: { transactions: 2 },
    });
  });

  test('that was prepared is the commit of that, and stays prepared just before it', () => {
    const lines = [prepare(702, 1, '0/100'), end(0, { at: at(2), prepared: 702 }, '0/200'), commit(703, 3, '0/300')];
    expect(located('transaction 702', lines)).toMatchObject({ lsn: '0/200', inclusive: true, notes: [] });
    expect(located('before transaction 702', lines).notes.join()).toContain('it will be there still, prepared');
  });

  test('that is only prepared, rolled back, a savepoint or unknown is no target: each says what to write', () => {
    expect(outside('transaction 702', [prepare(702, 1, '0/100'), commit(703, 2, '0/200')])).toMatch(
      /was prepared at .* and neither committed nor rolled back.*write "0\/100"/,
    );
    const undone = [abort(702, 1, '0/00000100'), commit(703, 2, '0/200')];
    expect(outside('transaction 702', undone)).toMatch(/was rolled back at .*write "before 0\/100"/);
    const parts = [end(702, { at: at(1), parts: [703, 704] }, '0/100')];
    expect(outside('before transaction 704', parts)).toMatch(
      /is a part of transaction 702 .*Write "transaction 702" or "before transaction 702"/,
    );
    expect(outside('transaction 9', three)).toContain(
      `has no end in the archive's WAL, which was read from A to B (${iso(1)} to ${iso(3)})`,
    );
  });

  test('before any backup is consistent is no target', () => {
    expect(outside('transaction 701', three, { consistentFrom: '0/1000180' })).toContain(
      'lies at 0/1000100, before 0/1000180, where the oldest backup that can be recovered ends',
    );
  });
});

describe('a restore point', () => {
  test('is its record, whatever bytes its name has', () => {
    expect(
      located('name vor dem Größten', [...three.slice(0, 2), point('vor dem Größten', '0/1000280'), three[2] ?? '']),
    ).toMatchObject({
      lsn: '0/1000280',
      inclusive: true,
      last: { transaction: 702 },
      after: { transactions: 1 },
    });
  });

  test('that is not there is no target: those that are there are named', () => {
    expect(outside('name b', [point('a', '0/100'), ...three])).toContain('These are: "a".');
    expect(outside('name b', three)).toContain('No restore point is.');
  });

  test('of which there are two is refused with both, unless one lies before any backup is consistent', () => {
    const lines = [point('a', '0/100'), commit(701, 1, '0/200'), point('a', '0/300')];
    expect(outside('name a', lines)).toContain('Write the LSN that is meant: "0/100" or "0/300"');
    expect(located('name a', lines, { consistentFrom: '0/180' })).toMatchObject({ lsn: '0/300', inclusive: true });
  });
});

test('a position holds exactly the commits before it, and the one that starts there when it is inclusive', () => {
  expect(located('0/1000200', three)).toMatchObject({
    inclusive: true,
    last: { transaction: 702 },
    after: { transactions: 1 },
  });
  expect(located('before 0/1000200', three)).toMatchObject({ last: { transaction: 701 }, after: { transactions: 2 } });
});

test('what was read up to the target is known before all is read, so that damage after it does no harm', () => {
  const locating = new Locating({ wanted: wantedFor('0/1000200') });
  const [first, second] = three.flatMap((one) => readLine(one) ?? []);
  if (first) locating.add(first);
  expect(locating.found).toBe(false);
  if (second) locating.add(second);
  expect(locating.found).toBe(true);
  locating.broken('segment 7 is damaged');
  expect(locating.outcome('')).toMatchObject({
    after: { atLeast: true },
    notes: [expect.stringContaining('more may have been committed there: segment 7 is damaged')],
  });
});

test('a record at a fork is of the timeline that begins there', () => {
  const ancestors = [{ timeline: 1, forkLsn: '0/3000000' }];
  const path = pathTo({ timelines: [{ id: 2, ancestors, hasHistory: true, ranges: [] }] }, 2);
  expect(['0/2FFFFF8', '0/3000000', '0/3000028'].map((lsn) => timelineOfRecord(path, lsn))).toEqual([1, 2, 2]);
  expect(compareLsn('0/2FFFFF8', '0/3000000')).toBe(-1);
});
