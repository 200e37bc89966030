import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { adviceFor } from '../../../evidence/advice.ts';
import { failureTypes } from '../../../evidence/failures.ts';
import {
  dataLost,
  flagsOf,
  notMeasuredYet,
  oneLineToDo,
  settleEvidence,
  splitOf,
  timeToRecover,
} from '../../../evidence/outcome.ts';
import { aborted, backup, dryRun, flagged, notProven, proven, running } from './samples.ts';

const t0 = Date.parse('2026-11-21T14:02:11.000Z');

describe('the time to recover', () => {
  test("runs from the drill's first moment to the end of validation, without traffic", () => {
    const evidence = proven();
    const validation = evidence.phases.find((phase) => phase.name === 'validation');
    const took = Date.parse(validation?.endedAt ?? '') - Date.parse(evidence.startedAt);
    expect(timeToRecover(evidence)).toMatchObject({ valueMs: took, how: expect.stringContaining('traffic excluded') });
  });

  test('of a live recovery runs from the incident to the end of the traffic phase', () => {
    const evidence = { ...proven(), mode: 'live' as const, incidentAt: '2026-11-21T13:50:00.000Z' };
    const traffic = evidence.phases.find((phase) => phase.name === 'traffic');
    const took = Date.parse(traffic?.endedAt ?? '') - Date.parse(evidence.incidentAt);
    expect(timeToRecover(evidence).valueMs).toBe(took);
  });

  test('of a live recovery ends when the service was healthy, not when it was made safe again', () => {
    const recoveredAt = '2026-11-21T14:20:00.000Z';
    const evidence = { ...proven(), mode: 'live' as const, incidentAt: '2026-11-21T13:50:00.000Z', recoveredAt };
    expect(timeToRecover(evidence).valueMs).toBe(30 * 60_000);
  });

  test.each([
    ['a drill that failed', notProven, 'the run ended before'],
    ['a cancelled drill', aborted, 'the run ended before'],
    ['a dry run', dryRun, 'a dry run recovers nothing'],
    ['a backup', backup, 'nothing is recovered'],
    ['a drill that goes on', running, notMeasuredYet],
  ])('of %s is not measured, and says why', (_name, sample, why) => {
    const { valueMs, how } = timeToRecover(sample());
    expect(valueMs).toBeUndefined();
    expect(how).toContain(why);
  });

  test('is the sum of machine, people and retries, none of them negative', () => {
    const times = fc.array(fc.tuple(fc.nat(100_000), fc.nat(100_000)), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(times, (waits) => {
        const evidence = proven();
        for (const [index, phase] of evidence.phases.entries())
          [phase.peopleMs, phase.retriesMs] = waits[index] ?? [0, 0];
        const split = splitOf(evidence);
        const parts = [split?.machineMs, split?.peopleMs, split?.retriesMs].map((ms) => ms ?? Number.NaN);
        expect(parts.reduce((sum, ms) => sum + ms, 0)).toBe(evidence.rto.valueMs);
        expect(Math.min(...parts)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test('does not count people who were waited for in the traffic phase of a drill', () => {
    const evidence = proven();
    const traffic = evidence.phases.find((phase) => phase.name === 'traffic');
    if (traffic) traffic.peopleMs = 10_000;
    expect(splitOf(evidence)?.peopleMs).toBe(0);
  });
});

describe('the data lost', () => {
  test('is the moment of the disaster minus the newest acknowledged pulse that came back', () => {
    fc.assert(
      fc.property(fc.nat(10_000_000), (ms) => {
        const newest = { at: new Date(t0 - ms).toISOString() };
        const lost = dataLost({ momentAt: new Date(t0).toISOString(), newest, lost: 3, chosen: false });
        expect(lost.valueMs).toBe(ms);
      }),
    );
  });

  test('names the pulse writes that it stands on', () => {
    const newest = { at: '2026-11-21T14:01:48.000000Z' };
    const { how } = dataLost({ momentAt: '2026-11-21T14:02:11.000000Z', newest, lost: 23, chosen: false });
    expect(how).toContain('23 pulse writes, one a second');
    expect(how).toContain('14:02:11Z');
  });

  test('is never negative when a pulse was acknowledged after the moment', () => {
    const newest = { at: '2026-11-21T14:02:12Z' };
    expect(dataLost({ momentAt: '2026-11-21T14:02:11Z', newest, lost: 0, chosen: false }).valueMs).toBe(0);
  });

  test.each([
    ['with a chosen target', { chosen: true, newest: { at: '2026-11-21T14:00:00Z' }, lost: 2 }, 'was chosen'],
    ['without a pulse', { chosen: false }, 'no pulse'],
    ['without any pulse before the target', { chosen: false, lost: 5 }, 'no acknowledged pulse write'],
  ])('%s is not measured, and says why', (_name, ask, why) => {
    const { valueMs, how, objectiveMs } = dataLost({ momentAt: '2026-11-21T14:02:11Z', objectiveMs: 1, ...ask });
    expect([valueMs, objectiveMs]).toEqual([undefined, 1]);
    expect(how).toMatch(/^not measured: /);
    expect(how).toContain(why);
  });
});

describe('the flags', () => {
  test('of a drill that kept every promise are none', () => {
    expect(flagsOf(proven())).toEqual([]);
  });

  test('are all that are true', () => {
    expect(flagsOf(flagged())).toEqual(['late', 'loss-beyond-objective', 'equality-not-proven', 'dirty']);
  });

  test('say first that the front door is closed, and the first thing to do is to open it', () => {
    const evidence = flagged();
    evidence.doorClosed = { why: 'two primaries.', byHand: 'Stop one of them.' };
    expect(flagsOf(evidence)[0]).toBe('door-closed');
    settleEvidence(evidence);
    expect(evidence.toDo).toBe('Nobody can write: the front door is closed. Stop one of them.');
  });

  test('say nothing of equality where nothing was restored', () => {
    const evidence = proven();
    delete evidence.equality;
    delete evidence.target;
    expect(flagsOf(evidence)).toEqual([]);
  });

  test('leave it to the next line that an old primary is left fenced', () => {
    const evidence = proven();
    evidence.leftFenced = { host: 'db1', why: 'no host worker answers on db1', byHand: 'Keep db1 from starting.' };
    settleEvidence(evidence);
    expect(evidence.toDo).toBe(
      'db1 is left fenced, and orders has one standby less: no host worker answers on db1. Keep db1 from starting.',
    );
  });

  test('say that a step was skipped', () => {
    const evidence = proven();
    const [first] = evidence.steps;
    if (first) first.state = 'skipped';
    expect(flagsOf(evidence)).toEqual(['skips']);
  });

  test('say that equality is not proven when one table of several differs', () => {
    const evidence = proven();
    const [table] = evidence.equality?.tables ?? [];
    if (table) table.equal = false;
    expect(flagsOf(evidence)).toEqual(['equality-not-proven']);
  });

  test('say that equality is not proven when no table at all was compared', () => {
    const evidence = proven();
    if (evidence.equality) evidence.equality.tables = [];
    expect(flagsOf(evidence)).toEqual(['equality-not-proven']);
  });

  test('of a run that failed or was cancelled do not say besides that equality is not proven', () => {
    expect([...flagsOf(notProven()), ...flagsOf(aborted())]).toEqual([]);
  });

  test('never claim equality of a backup or a dry run', () => {
    expect([...flagsOf(backup()), ...flagsOf(dryRun())]).toEqual([]);
  });

  test('call a run late from the first millisecond beyond its objective', () => {
    const evidence = proven();
    evidence.rto = { valueMs: 60_000, objectiveMs: 60_000, how: '' };
    expect(flagsOf(evidence)).toEqual([]);
    evidence.rto.valueMs = 60_001;
    expect(flagsOf(evidence)).toEqual(['late']);
  });
});

describe('a promise for a class of data', () => {
  const drill = (...classes: { name: string; rtoMs?: number; rpoMs?: number }[]) => {
    const evidence = proven();
    evidence.objectives.classes = classes.map((one) => ({ tables: [one.name], ...one }));
    settleEvidence(evidence);
    return evidence;
  };
  const lostMs = proven().rpo.valueMs ?? 0;
  const tookMs = proven().rto.valueMs ?? 0;

  test('is missed from the first millisecond beyond it, though the service keeps its own', () => {
    expect(drill({ name: 'money', rpoMs: lostMs, rtoMs: tookMs }).flags).toEqual([]);
    expect(drill({ name: 'stock', rpoMs: lostMs }, { name: 'money', rpoMs: lostMs - 1 }).flags).toEqual([
      'loss-beyond-objective',
    ]);
    expect(drill({ name: 'money', rtoMs: tookMs - 1 }).flags).toEqual(['late']);
  });

  test('is neither kept nor missed where nothing was measured', () => {
    const evidence = drill({ name: 'money', rpoMs: 1 });
    evidence.rpo = { how: 'not measured: the plan has no pulse' };
    expect(flagsOf(evidence)).toEqual([]);
  });

  test('that was missed the most is what the advice names', () => {
    const { toDo } = drill({ name: 'stock', rpoMs: lostMs - 2000 }, { name: 'money', rpoMs: lostMs - 5000 });
    expect(toDo).toContain('5 s more would be lost than the plan promises for money');
  });

  test('does not excuse the service from its own', () => {
    const evidence = drill({ name: 'history', rpoMs: lostMs * 10 });
    evidence.rpo.objectiveMs = lostMs - 3000;
    expect(flagsOf(evidence)).toEqual(['loss-beyond-objective']);
    expect(oneLineToDo({ ...evidence, flags: flagsOf(evidence) })).toMatch(/3 s more .* promises\.$/);
  });
});

describe('what to do', () => {
  test('after a damaged backup is to take a new one of that service', () => {
    expect(notProven().toDo).toContain('lifeboat backup orders --type full');
  });

  test('is the most urgent thing, one line', () => {
    const evidence = flagged();
    expect(evidence.toDo).toContain('left behind');
    evidence.flags = ['late', 'equality-not-proven'];
    expect(oneLineToDo(evidence)).toContain('6.3 s faster');
  });

  test('after a good drill is to rehearse what was never proven', () => {
    expect(proven().toDo).toContain('never been proven');
    const rehearsed = proven();
    for (const one of rehearsed.notExercised) one.lastProven = '2026-09-05T02:14:00Z';
    expect(oneLineToDo(rehearsed)).toBe('Nothing.');
  });

  test('is known for every type of failure, and for those of a later version', () => {
    for (const type of [...Object.keys(failureTypes), 'Cancelled', 'SomethingNew', 'toString'])
      expect(adviceFor(type, 'orders')).toMatch(/^[A-Z].+/);
  });
});

test('settled evidence leaves no measurement open', () => {
  for (const sample of [proven, running, notProven, dryRun, backup, aborted, flagged]) {
    const evidence = sample();
    evidence.failure ??= { type: 'Cancelled', message: '' };
    settleEvidence(evidence);
    expect([evidence.rto.how, evidence.rpo.how]).not.toContain(notMeasuredYet);
  }
});
