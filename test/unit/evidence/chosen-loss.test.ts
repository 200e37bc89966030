import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chosenLoss } from '../../../evidence/chosen-loss.ts';

const located = {
  at: '2026-11-21T14:00:00.000000Z',
  after: { transactions: 1_204, newestAt: '2026-11-21T14:01:48.113456Z', newestLsn: '0/8FFFF00' },
};
const moment = { at: '2026-11-21T14:02:03.000000Z' };

describe('what choosing a target loses', () => {
  test('is said in one sentence, and fact by fact', () => {
    const loss = chosenLoss({ located, moment, archivedWhole: true, pulses: { lost: 118 } });
    expect(loss.sentence).toBe(
      'Choosing this target loses 1,204 transactions, the newest of 14:01:48Z; what was written in the 2 min 3 s after the last commit that is kept; 118 acknowledged pulse writes, one a second.',
    );
    expect(loss).toMatchObject({ transactions: 1_204, atLeast: false, ms: 123_000, pulses: 118 });
    expect(loss.facts).toEqual({
      'transactions lost': '1,204',
      'newest of them': '2026-11-21T14:01:48.113456Z',
      'last commit kept': '2026-11-21T14:00:00.000000Z',
      'time lost': '2 min 3 s',
      'acknowledged pulse writes lost': 118,
    });
  });

  test('is at least that much where not all WAL was read', () => {
    const { after, at } = located;
    const broken = chosenLoss({ located: { at, after: { ...after, atLeast: true } }, moment, archivedWhole: true });
    const notArchived = chosenLoss({ located, moment, archivedWhole: false });
    for (const loss of [broken, notArchived]) {
      expect(loss.atLeast).toBe(true);
      expect(loss.sentence).toContain('at least 1,204 transactions');
      expect(loss.facts['transactions lost']).toBe('at least 1,204');
    }
    const none = chosenLoss({ located: { at, after: { transactions: 0 } }, moment, archivedWhole: false });
    expect(none.sentence).toContain('no transaction that the archive holds (what is not archived');
  });

  test('is nothing where the archive is whole and holds nothing after it', () => {
    const loss = chosenLoss({ located: { ...located, after: { transactions: 0 } }, moment, archivedWhole: true });
    expect(loss.sentence).toContain('loses no transaction;');
  });

  test('has no time where that is not known, and says why', () => {
    const time = (ask: Partial<Parameters<typeof chosenLoss>[0]>) =>
      chosenLoss({ located, moment, archivedWhole: true, ...ask }).facts['time lost'];
    expect(chosenLoss({ located, archivedWhole: true })).not.toHaveProperty('ms');
    expect(chosenLoss({ located, archivedWhole: true }).facts['time lost']).toContain('does not say what time it is');
    expect(time({ located: { after: located.after } })).toContain('no commit before the target was read');
    expect(time({ moment: { at: '2026-11-21T13:00:00Z' } })).toContain('the clock of the database was set back');
    expect(time({ pulses: { lost: 1, setBackMs: 5_000 } })).toContain('the clock of the database was set back');
  });

  test('without a pulse, says that acknowledged writes are not known', () => {
    const loss = chosenLoss({ located, moment, archivedWhole: true });
    expect(loss.facts['acknowledged pulse writes lost']).toBe('not known: the plan has no pulse');
    expect(loss.sentence).toContain('is not known: the plan has no pulse');
  });

  test('is never negative, and never less than the archive holds', () => {
    const ask = fc.record({
      transactions: fc.nat(),
      kept: fc.integer({ min: 0, max: 2e12 }),
      now: fc.integer({ min: 0, max: 2e12 }),
      archivedWhole: fc.boolean(),
    });
    fc.assert(
      fc.property(ask, ({ transactions, kept, now, archivedWhole }) => {
        const at = (ms: number) => new Date(ms).toISOString();
        const loss = chosenLoss({
          located: { at: at(kept), after: { transactions } },
          moment: { at: at(now) },
          archivedWhole,
        });
        expect(loss.transactions).toBe(transactions);
        expect(loss.ms ?? 0).toBeGreaterThanOrEqual(0);
        expect(loss.ms === undefined).toBe(now < kept);
      }),
    );
  });
});
