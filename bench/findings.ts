import type { Goal, PartLetter, Row } from './result.ts';
import { median } from './statistics.ts';

export function rowOf(part: PartLetter, name: string, unit: Row['unit'], samples: readonly number[]): Row {
  return { part, name, unit, samples: [...samples], median: median([...samples]) };
}

export function atMost(
  part: PartLetter,
  name: string,
  value: number,
  limit: number,
  unit: Goal['unit'] = 'ratio',
): Goal {
  return { part, name, unit, value, limit, direction: 'at most', met: value <= limit };
}

export function atLeast(part: PartLetter, name: string, value: number, limit: number): Goal {
  return { part, name, unit: 'ratio', value, limit, direction: 'at least', met: value >= limit };
}
