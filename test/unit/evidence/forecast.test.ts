import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Evidence, type Phase, phases } from '../../../evidence/evidence.ts';
import { type EarlierRun, earlierRun, forecast, lateFrom, warnFromMs } from '../../../evidence/forecast.ts';
import { hostileEvidence } from './hostile.ts';
import { dryRun, proven, running } from './samples.ts';

const minute = 60_000;
const hour = 60 * minute;
const began = Date.parse('2026-11-21T14:00:00.000Z');
const at = (ms: number) => new Date(began + ms).toISOString();

/** A drill that has been through the first of these phases, and has taken so long for each. */
function drill({ took, now, budgetMs = hour }: { took: number[]; now?: number; budgetMs?: number }): Evidence {
  const evidence = running();
  let reached = 0;
  const records = phases.map((name, index) => {
    const ms = took[index];
    const phase = { name, budgetMs, peopleMs: 0, retriesMs: 0 };
    if (ms === undefined) return phase;
    const startedAt = at(reached);
    reached += ms;
    const isOpen = now !== undefined && index === took.length - 1;
    return { ...phase, startedAt, ...(isOpen ? {} : { endedAt: at(reached) }) };
  });
  return { ...evidence, startedAt: at(0), phases: records, steps: [], backup: undefined };
}

/** An earlier run of which the phases took so long, one step in each. */
function earlier(took: Partial<Record<Phase | 'closing', number>>, moving: Phase[] = []): EarlierRun {
  const of = (name: string, ms: number) => ({ ms, movingMs: moving.some((one) => one === name) ? ms : 0 });
  const entries = Object.entries(took);
  return {
    run: 'earlier',
    bytes: 1_000_000,
    phases: Object.fromEntries(entries.map(([name, ms]) => [name, of(name, ms)])),
    steps: Object.fromEntries(entries.map(([name, ms]) => [`${name}/work`, { own: of(name, ms), rest: of(name, ms) }])),
  };
}

const usual = earlier({
  assessment: 2 * minute,
  database: 30 * minute,
  application: 5 * minute,
  validation: 10 * minute,
  traffic: 1 * minute,
  closing: 2 * minute,
});

function endOf(evidence: Evidence, runs: EarlierRun[], now: number): number {
  return Date.parse(forecast(evidence, runs, began + now)?.endsAt ?? '') - began;
}

describe('the forecast', () => {
  test('of the first run of its kind adds up the budgets, and says so', () => {
    const evidence = drill({ took: [0], now: 0 });
    const told = forecast(evidence, [], began);
    expect(told).toMatchObject({ endsAt: at(5 * hour), how: 'the budgets of the phases' });
  });

  test('goes by earlier runs where there are some: what is left of this phase, those to come, and the clean-up', () => {
    const evidence = drill({ took: [2 * minute, 0], now: 2 * minute });
    expect(endOf(evidence, [usual, usual, usual], 2 * minute)).toBe(50 * minute);
    expect(forecast(evidence, [usual, usual, usual], began)?.how).toBe('3 earlier runs');
  });

  test('takes the middle one of earlier runs: a single bad day does not count', () => {
    const bad = earlier({ ...Object.fromEntries(phases.map((name) => [name, 10 * hour])), closing: 0 });
    const evidence = drill({ took: [0], now: 0 });
    expect(endOf(evidence, [usual, bad, usual], 0)).toBe(50 * minute);
  });

  test('uses the budget of a phase that no earlier run had, and names it', () => {
    const evidence = drill({ took: [0], now: 0 });
    const shorter = earlier({ assessment: minute, database: minute, application: minute, validation: minute });
    expect(forecast(evidence, [shorter], began)).toMatchObject({
      endsAt: at(4 * minute + hour),
      how: '1 earlier run, and the budget of traffic',
    });
  });

  test('grows with the data, where what took the time was moving it', () => {
    const evidence = drill({ took: [2 * minute, 0], now: 2 * minute });
    const restoring = earlier({ database: 30 * minute, application: 0, validation: 0, traffic: 0 }, ['database']);
    const backup = { label: 'x', type: 'full', stoppedAt: at(0), bytes: 3_000_000 };
    expect(endOf({ ...evidence, backup }, [restoring], 2 * minute)).toBe(92 * minute);
  });

  test('knows by the step that goes on how much of its phase is left', () => {
    const evidence = drill({ took: [2 * minute, 0], now: 2 * minute });
    const past: EarlierRun = {
      ...usual,
      steps: {
        'database/replay': { own: { ms: 6 * minute, movingMs: 0 }, rest: { ms: 8 * minute, movingMs: 0 } },
      },
    };
    const step = {
      id: 'database/replay',
      name: 'Replay',
      group: 'database' as const,
      kind: 'change' as const,
      state: 'running' as const,
      startedAt: at(20 * minute),
    };
    const replaying = { ...evidence, steps: [step] };
    // Eight minutes from its start to the end of the phase, eighteen for all that follows.
    expect(endOf(replaying, [past], 20 * minute)).toBe(46 * minute);
    expect(endOf(replaying, [past], 24 * minute)).toBe(46 * minute);
    // It takes longer than it ever did: what follows it is left all the same.
    expect(endOf(replaying, [past], 40 * minute)).toBe(60 * minute);
  });

  test('does not count the time in which people were waited for, neither now nor then', () => {
    const asked = {
      step: 'database/restore',
      name: 'Restore',
      attempt: 1,
      code: 'X',
      failure: { type: 'RestoreFailed', message: 'failed' },
      offers: ['retry' as const],
      asked: [],
      openedAt: at(3 * minute),
      clicks: [],
    };
    const waiting = { ...drill({ took: [2 * minute, 0], now: 2 * minute }), decisions: [asked] };
    // A minute of the phase was spent before the question; the other fifty-seven were not the machine's.
    expect(endOf(waiting, [usual], hour)).toBe(hour + 47 * minute);

    const whole = proven();
    const [from, to] = [whole.phases[1]?.startedAt ?? '', whole.phases[1]?.endedAt ?? ''];
    const answered = { ...asked, openedAt: from, closedAt: to };
    expect(earlierRun({ ...whole, decisions: [answered] }).phases.database?.ms).toBe(0);
    expect(earlierRun(whole).phases.database?.ms).toBeGreaterThan(0);
  });

  test('says by how much the RTO will be missed, traffic and clean-up of a drill left out', () => {
    const evidence = { ...drill({ took: [2 * minute, 0], now: 2 * minute }) };
    evidence.objectives = { ...evidence.objectives, rtoMs: 47 * minute };
    expect(forecast(evidence, [usual], began + 2 * minute)).not.toHaveProperty('lateByMs');
    expect(forecast(evidence, [usual], began + 14 * minute)?.lateByMs).toBeUndefined();
    evidence.objectives = { ...evidence.objectives, rtoMs: 40 * minute };
    expect(forecast(evidence, [usual], began + 2 * minute)?.lateByMs).toBe(7 * minute);
  });

  test('of a live recovery counts from the incident, which was before the run', () => {
    const evidence = { ...drill({ took: [0], now: 0 }), mode: 'live' as const, incidentAt: at(-20 * minute) };
    evidence.objectives = { ...evidence.objectives, rtoMs: 48 * minute };
    expect(forecast(evidence, [usual], began)?.lateByMs).toBe(20 * minute);
  });

  test('is not made of what is over, nor of a dry run', () => {
    expect(forecast(proven(), [usual], began)).toBeUndefined();
    expect(forecast(dryRun(), [usual], began)).toBeUndefined();
  });

  test('finds the moment from which the run will be late, if nothing ends before it', () => {
    const evidence = drill({ took: [2 * minute, 0], now: 2 * minute });
    evidence.objectives = { ...evidence.objectives, rtoMs: 60 * minute };
    // Fifteen minutes of work follow the database phase: if it is not over by minute 46, the run is a minute late.
    const ask = { now: began + 2 * minute, until: began + 5 * hour, byMs: minute };
    const found = lateFrom(evidence, [usual], ask) ?? 0;
    expect(Math.abs(found - began - 46 * minute)).toBeLessThanOrEqual(1_000);
    expect(forecast(evidence, [usual], found)?.lateByMs).toBeGreaterThanOrEqual(minute);
    expect(forecast(evidence, [usual], found - 2_000)?.lateByMs ?? 0).toBeLessThan(minute);
    expect(lateFrom(evidence, [usual], { ...ask, until: began + 10 * minute })).toBeUndefined();
  });

  test('is worth a second warning only when it has become much worse', () => {
    const first = warnFromMs(4 * hour, undefined);
    expect(first).toBeLessThanOrEqual(3 * minute);
    expect(warnFromMs(4 * hour, 12 * minute)).toBe(36 * minute);
    expect(warnFromMs(4 * hour, hour)).toBe(2 * hour);
  });
});

const someMs = fc.integer({ min: 0, max: 6 * hour });
const someRun = fc
  .tuple(fc.array(someMs, { minLength: 6, maxLength: 6 }), fc.subarray([...phases]))
  .map(([ms, moving]) => {
    const [assessment = 0, database = 0, application = 0, validation = 0, traffic = 0, closing = 0] = ms;
    return earlier({ assessment, database, application, validation, traffic, closing }, moving);
  });
const someRuns = fc.array(someRun, { maxLength: 5 });
const someDrill = fc.tuple(fc.array(someMs, { minLength: 1, maxLength: 4 }), someMs).map(([took, budgetMs]) => ({
  evidence: drill({ took, now: 0, budgetMs }),
  now: began + took.reduce((a, b) => a + b),
}));

function ending({ evidence, now }: { evidence: Evidence; now: number }, runs: EarlierRun[]): number {
  return Date.parse(forecast(evidence, runs, now)?.endsAt ?? '');
}

describe('every forecast', () => {
  test('is a moment that has not passed, and no lateness is negative or unknown', () => {
    fc.assert(
      fc.property(someDrill, someRuns, (one, runs) => {
        const told = forecast(one.evidence, runs, one.now);
        expect(Date.parse(told?.endsAt ?? '')).toBeGreaterThanOrEqual(one.now);
        expect(told?.lateByMs ?? 1).toBeGreaterThan(0);
        expect(Number.isFinite(told?.lateByMs ?? 1)).toBe(true);
      }),
    );
  });

  test('comes no later for a phase that has ended', () => {
    fc.assert(
      fc.property(someDrill, someRuns, ({ evidence, now }, runs) => {
        const over = evidence.phases.map((phase) =>
          phase.startedAt === undefined ? phase : { ...phase, endedAt: phase.endedAt ?? new Date(now).toISOString() },
        );
        const before = ending({ evidence, now }, runs);
        expect(ending({ evidence: { ...evidence, phases: over }, now }, runs)).toBeLessThanOrEqual(before);
      }),
    );
  });

  test('comes no sooner for earlier runs that took longer, and none sooner for more data', () => {
    const backup = (bytes: number) => ({ label: 'x', type: 'full', stoppedAt: at(0), bytes });
    fc.assert(
      fc.property(someDrill, someRuns, fc.integer({ min: 1, max: 20 }), ({ evidence, now }, runs, times) => {
        const longer = runs.map((run) => ({
          ...run,
          phases: Object.fromEntries(
            Object.entries(run.phases).map(([name, { ms, movingMs }]) => [
              name,
              { ms: ms * times, movingMs: movingMs * times },
            ]),
          ),
        }));
        expect(ending({ evidence, now }, longer)).toBeGreaterThanOrEqual(ending({ evidence, now }, runs));
        const little = { evidence: { ...evidence, backup: backup(1_000_000) }, now };
        const much = { evidence: { ...evidence, backup: backup(1_000_000 * times) }, now };
        expect(ending(much, runs)).toBeGreaterThanOrEqual(ending(little, runs));
      }),
    );
  });

  test('never moves back while nothing ends', () => {
    fc.assert(
      fc.property(someDrill, someRuns, someMs, ({ evidence, now }, runs, later) => {
        expect(ending({ evidence, now: now + later }, runs)).toBeGreaterThanOrEqual(ending({ evidence, now }, runs));
      }),
    );
  });

  test('is made of whatever the store holds, be it nonsense', () => {
    fc.assert(
      fc.property(hostileEvidence, hostileEvidence, (past, present) => {
        const going = { ...present, endedAt: undefined };
        const told = forecast(going, [earlierRun(past)], began);
        if (told !== undefined) expect(Date.parse(told.endsAt)).toBeGreaterThanOrEqual(began);
      }),
    );
  });
});
