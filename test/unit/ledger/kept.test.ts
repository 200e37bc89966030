import { expect, test } from 'vitest';
import { judgeSetAside } from '../../../activities/sweep/set-aside.ts';
import { besideOf } from '../../../recovery/rebuild.ts';

const day = 24 * 60 * 60 * 1000;
const since = '2026-11-01T00:00:00.000Z';
const after = (days: number) => Date.parse(since) + days * day;

test('what a recovery has set aside is kept as long as the plan says, and says until when', () => {
  expect(judgeSetAside({ since }, {}, [], after(13))).toMatchObject({
    verdict: 'kept',
    why: expect.stringContaining('2026-11-15T00:00:00.000Z'),
  });
  expect(judgeSetAside({ since }, {}, [], after(15))).toMatchObject({ verdict: 'left' });
  expect(judgeSetAside({ since }, { keepOldForMs: 30 * day }, [], after(15))).toMatchObject({ verdict: 'kept' });
});

test('what nobody knows the age of is kept', () => {
  expect(judgeSetAside({}, {}, [], after(1000))).toMatchObject({ verdict: 'kept' });
});

test('while a run holds a host nothing of it is removed, however old', () => {
  expect(judgeSetAside({ since }, {}, ['orders-7f3a'], after(1000))).toMatchObject({ verdict: 'in-use' });
});

test('half of one is of no use to anybody', () => {
  expect(judgeSetAside({ since, note: 'its removal has begun' }, {}, [], after(1))).toMatchObject({ verdict: 'left' });
});

test.each(['coming', 'rewinding', 'saved'] as const)(
  'what a rebuild was working with (%s) is told, and never taken by a sweep: it may be all that the standby has',
  (what) => {
    const path = besideOf('/srv/db2', what, 'orders-7f3a');
    expect(judgeSetAside({ since, path }, {}, [], after(1000))).toMatchObject({
      verdict: 'kept',
      why: expect.stringContaining('lifeboat start standby-rebuild'),
    });
    expect(judgeSetAside({ since, path }, {}, ['orders-7f3a'], after(1))).toMatchObject({ verdict: 'in-use' });
  },
);
