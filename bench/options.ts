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
    .option('--scale <factor>', 'of the data and the WAL: 1 is 450,000 orders (1.2 GB) and 40 segments', factor, 1)
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
};

/** Of one round on two cores, and of what comes once, seconds: only to tell people how long it will take. */
const secondsEachRound: Record<PartLetter, number> = { a: 40, b: 55, c: 12, d: 90, e: 0, f: 0 };
const secondsOnce: Record<PartLetter, number> = { a: 15, b: 0, c: 0, d: 0, e: 30, f: 30 };
const groundSeconds = 80;

export function expectedMinutes({ only, rounds, scale }: Options): number {
  const timed = only.reduce((sum, part) => sum + rounds * secondsEachRound[part] + secondsOnce[part], groundSeconds);
  return Math.max(1, Math.round((timed * Math.max(scale, 0.2)) / 60));
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
