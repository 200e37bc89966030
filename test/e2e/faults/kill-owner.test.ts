/** An estate whose owner is killed ends by itself, and touches nothing else. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, inject, test } from 'vitest';
import { packageRoot } from '../../../lab/home.ts';
import { processesNaming, seenWithin } from '../observer.ts';

const started: ChildProcess[] = [];

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

/** A process that starts an estate, says so, and stays. */
async function ownerOf(root: string): Promise<ChildProcess> {
  const estate = JSON.stringify(join(packageRoot, 'dist', 'lab', 'estate.js'));
  const options = JSON.stringify({ root, template: inject('template') });
  const script = `const { startEstate } = await import(${estate}); await startEstate(${options}); console.log('up'); setInterval(() => {}, 1e6);`;
  const owner = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.push(owner);
  const end = once(owner, 'exit').then(() => {
    throw new Error('the owner ended before the estate was up');
  });
  await Promise.race([once(owner.stdout ?? owner, 'data'), end]);
  end.catch(() => undefined);
  return owner;
}

test('killed, it leaves no process and no file of its estate, and those of others alone', async () => {
  const root = await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'e-'));
  // Somebody else's, whose folder's name begins like the estate's.
  const other = spawn('sleep', ['600'], { cwd: '/', env: { HERS: `${root}0` }, argv0: `${root}0` });
  started.push(other);
  const owner = await ownerOf(root);
  expect((await processesNaming(`${root}/`)).length).toBeGreaterThan(10);
  owner.kill('SIGKILL');
  await seenWithin(
    'every process of the estate ends',
    60_000,
    () => processesNaming(`${root}/`),
    (left) => left.length === 0,
  );
  await seenWithin(
    'its folder goes',
    30_000,
    async () => existsSync(root),
    (there) => !there,
  );
  expect(other.exitCode).toBeNull();
  expect(other.signalCode).toBeNull();
});
