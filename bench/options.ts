import { Command, InvalidArgumentError } from 'commander';
import { type PartLetter, parts } from './result.ts';

export interface Options {
  json?: string;
  markdown?: string;
  only: PartLetter[];
  rounds: number;
  scale: number;
  folder: string;
}

export function readOptions(words: readonly string[]): Options {
  return new Command('bench')
    .description(
      'Measures Lifeboat against what a person would do without it. Builds an estate of its own, and removes it.',
    )
    .option('--only <parts>', `some parts only, such as a,c: ${Object.values(titles).join('; ')}`, letters, [...parts])
    .option('--rounds <number>', 'turns of each contestant', wholeNumber, 3)
    .option(
      '--scale <factor>',
      'of the data, the WAL and the runs that wait: 1 is 450,000 orders (1.2 GB), 40 segments, 500 runs; below 1 also fewer clicks',
      factor,
      1,
    )
    .option(
      '--folder <directory>',
      'where the estate is built: a disk with room, that every user may enter',
      '/var/tmp',
    )
    .option('--json <file>', 'the result for machines, see docs/bench.md')
    .option('--markdown <file>', 'the tables, put between the marks of a page that has them')
    .parse(words, { from: 'user' })
    .opts<Options>();
}

export const titles: Record<PartLetter, string> = {
  a: 'a: restore to target',
  b: 'b: the whole drill',
  c: 'c: the runbook layer',
  d: 'd: what customers feel',
  e: 'e: memory',
  f: 'f: history',
  g: 'g: approvals',
  h: 'h: runs that wait',
  i: 'i: eight hours of waiting',
  j: 'j: switchovers',
  k: 'k: searching the WAL',
  l: 'l: recoveries in place',
};

/** What a part stands on. Each is built once, when one of its parts is wanted. */
export const grounds = {
  backup: ['a', 'b', 'c', 'd', 'e', 'f', 'k'],
  people: ['g', 'h'],
  nothing: ['i'],
  pair: ['j'],
  largePair: ['l'],
} as const satisfies Record<string, readonly PartLetter[]>;
type GroundName = keyof typeof grounds;

/** Seconds on two cores, only to tell people how long it will take: what comes once, and of each round; `scaled` where data make it. */
interface Expected {
  once?: number;
  eachRound?: number;
  scaled: boolean;
}

const expectedOf: Record<PartLetter, Expected> = {
  a: { once: 15, eachRound: 40, scaled: true },
  b: { eachRound: 55, scaled: true },
  c: { eachRound: 12, scaled: true },
  d: { eachRound: 90, scaled: true },
  e: { once: 30, scaled: true },
  f: { once: 30, scaled: true },
  g: { eachRound: 60, scaled: false },
  h: { once: 120, eachRound: 10, scaled: true },
  i: { once: 15, scaled: false },
  j: { eachRound: 60, scaled: false },
  k: { once: 40, eachRound: 15, scaled: true },
  l: { eachRound: 200, scaled: true },
};
const expectedGround: Record<GroundName, Expected> = {
  backup: { once: 80, scaled: true },
  people: { once: 20, scaled: false },
  nothing: { scaled: false },
  pair: { once: 30, scaled: false },
  largePair: { once: 80, scaled: true },
};

export function expectedMinutes({ only, rounds, scale }: Pick<Options, 'only' | 'rounds' | 'scale'>): number {
  const names = Object.keys(grounds) as GroundName[];
  const needed = names.filter((name) => grounds[name].some((part) => only.includes(part)));
  const all = [...needed.map((name) => expectedGround[name]), ...only.map((part) => expectedOf[part])];
  const seconds = all.reduce((sum, { once = 0, eachRound = 0, scaled }) => {
    // Building and starting take their time, however little there is to build.
    return sum + (once + rounds * eachRound) * (scaled ? Math.max(scale, 0.2) : 1);
  }, 0);
  return Math.max(1, Math.round(seconds / 60));
}

function letters(text: string): PartLetter[] {
  const chosen = text.split(',').map((one) => one.trim().toLowerCase());
  const wrong = chosen.filter((one) => !parts.some((part) => part === one));
  if (wrong.length > 0)
    throw new InvalidArgumentError(`write letters among ${parts.join(',')}, not "${wrong.join(',')}"`);
  return parts.filter((part) => chosen.includes(part));
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('write a whole number above zero');
  return value;
}

function factor(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 100)) throw new InvalidArgumentError('write a number above 0, at most 100');
  return value;
}
