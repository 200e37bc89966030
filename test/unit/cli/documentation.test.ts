import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { type ExitName, exitCodes, exitMeanings } from '../../../cli/exit-codes.ts';
import { stage } from './stage.ts';

const page = await readFile(new URL('../../../docs/cli.md', import.meta.url), 'utf8');

test('the page says of every exit code what the program says', () => {
  for (const name of Object.keys(exitCodes) as ExitName[])
    expect(page).toContain(`| ${exitCodes[name]} | ${exitMeanings[name]} |`);
});

test('the page names every command, and no other', async () => {
  const on = stage();
  await on.type('--help');
  const commands = [...on.out.join('').matchAll(/^ {2}([a-z-]+)(?: |$)/gm)]
    .map((match) => match[1])
    .filter((one) => one !== 'help');
  const table = page.slice(page.indexOf('## Commands'), page.indexOf('### Starting'));
  const named = [...table.matchAll(/^\| `([a-z-]+)/gm)].map((match) => match[1]);
  expect([...new Set(named)].sort()).toEqual([...new Set(commands)].sort());
});
