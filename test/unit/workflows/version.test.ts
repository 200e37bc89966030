import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { version } from '../../../workflows/version.ts';

test('the version that evidence names is the version of the package', async () => {
  const file = await readFile(new URL('../../../package.json', import.meta.url), 'utf8');
  expect(JSON.parse(file)).toMatchObject({ version });
});
