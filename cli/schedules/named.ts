/** Which schedules a name stands for. */
import { nearest } from '../../workflows/inputs.ts';
import { Problem } from '../problem.ts';

export interface Target {
  id: string;
  service: string;
  name: string;
}

/**
 * `orders`, `orders/full-backup`, or `full-backup` where there is one service.
 *
 * @throws Problem a schedule's own name that several services have
 */
export function named<T extends Target>(known: readonly T[], name: string): T[] {
  const whole = known.filter((one) => one.id === name || `${one.service}/${one.name}` === name || one.service === name);
  if (whole.length > 0) return whole;
  const own = known.filter((one) => one.name === name);
  if (own.length > 1)
    throw new Problem(
      'badInput',
      `"${name}" could be ${own.map((one) => `${one.service}/${one.name}`).join(' or ')}: write which one is meant.`,
    );
  return own;
}

export function unknown(known: readonly Target[], name: string | undefined): Problem {
  const names = known.map((one) => `${one.service}/${one.name}`);
  const near = name === undefined ? undefined : nearest(name, [...names, ...known.map((one) => one.name)]);
  const there = names.length === 0 ? 'the server has none: lifeboat schedules apply' : `there are ${names.join(', ')}`;
  return new Problem(
    'notFound',
    `There is no schedule${name === undefined ? ' of these plans' : ` "${name}"`}${near === undefined ? '' : `: did you mean "${near}"?`} (${there}).`,
  );
}
