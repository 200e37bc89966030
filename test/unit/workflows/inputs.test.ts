import { describe, expect, test } from 'vitest';
import { checkInput, modeOf } from '../../../workflows/inputs.ts';

describe('what a runbook may be started with', () => {
  test('nothing, an empty object and every known field are fine', () => {
    for (const input of [
      undefined,
      null,
      {},
      { service: 'orders', mode: 'drill', requestedBy: 'ana', target: '2026-11-21T14:00:00+02:00' },
    ])
      expect(checkInput('monthly-drill', input)).toBeUndefined();
  });

  test.each([
    [{ servic: 'orders' }, 'did you mean "service"'],
    [{ Target: '2026-11-21T14:00:00Z' }, 'did you mean "target"'],
    [{ colour: 'red' }, 'It knows service'],
    [{ target: '2026-11-21 14:00:00' }, 'write 2026-11-21T14:00:00Z'],
    [{ target: '2026-13-40T14:00:00Z' }, 'must be a time'],
    [{ target: '2026-02-31T14:00:00Z' }, 'the calendar does not have'],
    [{ target: 7 }, 'must be a time'],
    [{ service: '../etc' }, 'name of a service'],
    [{ mode: 'dril' }, 'did you mean "drill"'],
    [{ __proto__x: 1 }, 'knows no field'],
    [{ toString: 1 }, 'knows no field'],
  ])('%j is refused with what to write instead', (input, words) => {
    expect(checkInput('monthly-drill', input)).toContain(words);
  });

  test.each([['a text'], [[1]], [7], [true]])('%j is no input at all', (input) => {
    expect(checkInput('backup', input)).toContain('one JSON object');
  });
});

describe('where a recovery goes back to', () => {
  test.each(['2026-11-21T14:00:00+02:00', '0/59E1A40', 'before 0/59E1A40', 'transaction 4711', 'name before-deploy'])(
    '"%s" is understood',
    (target) => expect(checkInput('point-in-time-recovery', { mode: 'live', target })).toBeUndefined(),
  );

  test.each([
    [{ mode: 'live' }, '"target" is missing'],
    [{ target: '2026-11-21T14:00:00' }, 'without an offset'],
    [{ target: '4711' }, 'transaction 4711'],
    [{ target: 'yesterday' }, 'no target that Lifeboat knows'],
    [{ target: '0/59E1A40', incidentAt: 'noon' }, '"incidentAt" must be a time'],
  ])('%j is refused with what to write instead', (input, words) => {
    expect(checkInput('point-in-time-recovery', input)).toContain(words);
  });
});

test('a drill runs from nothing, anything else is a dry run until it is told to be live', () => {
  expect(modeOf('monthly-drill', {})).toBe('drill');
  expect(modeOf('backup', {})).toBe('dry-run');
  expect(modeOf('backup', { mode: 'live' })).toBe('live');
});
