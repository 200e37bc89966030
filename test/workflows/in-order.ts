import { expect } from 'vitest';

/** Those of an inner list are done at the same time: nobody promises which of them comes first. */
export function expectInOrder(steps: readonly string[] = [], expected: readonly (string | readonly string[])[]): void {
  const lists = expected.map((one) => [one].flat().toSorted());
  const ends = lists.map((_list, index) => lists.slice(0, index + 1).flat().length);
  const taken = lists.map((list, index) => steps.slice((ends[index] ?? 0) - list.length, ends[index]).toSorted());
  expect([...taken, steps.slice(ends.at(-1))]).toEqual([...lists, []]);
}
