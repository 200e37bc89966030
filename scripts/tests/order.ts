/** What the command line asks for. */
import { parseArgs } from 'node:util';

export const layers = ['static', 'unit', 'workflows', 'e2e', 'replay'] as const;
export type Layer = (typeof layers)[number];

export interface Order {
  layers: readonly Layer[];
  /** Parts of file names. */
  filters: string[];
  seed: number;
  /** Also what is too slow for every run. */
  all: boolean;
}

export class BadOrder extends Error {}

/** @throws BadOrder with a sentence that says what may be asked for */
export function readOrder(words: string[], draw: () => number = () => Math.floor(Math.random() * 1e9)): Order {
  const { values, positionals } = parsed(words);
  const [layer, ...filters] = positionals;
  if (layer !== undefined && !isLayer(layer)) throw new BadOrder(`There is no layer "${layer}". ${usage}`);
  if (layer === 'static' && filters.length > 0) throw new BadOrder(`The static checks look at all files. ${usage}`);
  const seed = values.seed === undefined ? draw() : Number(values.seed);
  if (!Number.isInteger(seed)) throw new BadOrder(`--seed wants a whole number, not "${values.seed}". ${usage}`);
  return { layers: layer === undefined ? layers : [layer], filters, seed, all: values.all === true };
}

const usage = `Usage: ./scripts/test [--all] [--seed N] [${layers.join('|')} [part of a file's name ...]]`;

function parsed(words: string[]) {
  try {
    const options = { seed: { type: 'string' }, all: { type: 'boolean' } } as const;
    return parseArgs({ args: words, options, allowPositionals: true });
  } catch (error) {
    throw new BadOrder(`${error instanceof Error ? error.message : error} ${usage}`);
  }
}

function isLayer(word: string): word is Layer {
  return layers.some((layer) => layer === word);
}
