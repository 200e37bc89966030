import { describe, expect, test } from 'vitest';
import { expectedMinutes, grounds, readOptions, titles } from '../../../bench/options.ts';
import { parts } from '../../../bench/result.ts';

describe('the options of the bench', () => {
  test('every part is measured when none is named, three rounds each', () => {
    expect(readOptions([])).toMatchObject({ only: [...parts], rounds: 3, scale: 1 });
  });

  test('parts are taken in the order of their letters, however they are written', () => {
    expect(readOptions(['--only', ' J, g,a ']).only).toEqual(['a', 'g', 'j']);
  });

  test('each part has a title that begins with its letter, and stands on one ground', () => {
    const standing = Object.values(grounds).flat();
    expect([...standing].sort()).toEqual([...parts]);
    for (const part of parts) expect(titles[part]).toMatch(new RegExp(`^${part}: `));
  });

  test('a part that needs no large estate is not said to take as long as one', () => {
    const minutes = (only: string) => expectedMinutes(readOptions(['--only', only]));
    expect(minutes('i')).toBe(1);
    expect(minutes('a,i') - minutes('a')).toBeLessThanOrEqual(1);
    expect(minutes('g')).toBeLessThan(minutes('g,j'));
    expect(minutes('g,h')).toBeLessThan(minutes('a,b,g,h'));
  });

  test('more rounds take longer, and so do more parked runs', () => {
    const minutes = (...words: string[]) => expectedMinutes(readOptions(words));
    expect(minutes('--only', 'g', '--rounds', '9')).toBeGreaterThan(minutes('--only', 'g'));
    expect(minutes('--only', 'h', '--scale', '10')).toBeGreaterThan(minutes('--only', 'h'));
    expect(minutes('--only', 'j', '--scale', '10')).toBe(minutes('--only', 'j'));
  });
});
