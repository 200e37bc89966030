/** A warm-up no faster than the plan says, and what clients find afterwards: what they asked for before does not count. */
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { Cache } from '../../../activities/contract.ts';
import { useRedis } from './rig.ts';

const rig = useRedis();
let warm: NonNullable<Cache['warm']>;

beforeAll(async () => {
  const { root, component, passwordFile, permitFile } = rig();
  const [command, keys] = [join(root, 'warm'), join(root, 'keys')];
  await writeFile(
    command,
    `#!/bin/sh
export REDISCLI_AUTH=$(cat ${passwordFile})
redis-cli -h "$LIFEBOAT_REDIS_HOST" -p "$LIFEBOAT_REDIS_PORT" ping > ${root}/loaded || exit 3
while read -r key; do
  echo "SET $key loaded"
done | redis-cli -h "$LIFEBOAT_REDIS_HOST" -p "$LIFEBOAT_REDIS_PORT" > ${root}/loaded && tail -n 1 ${root}/loaded
`,
  );
  await chmod(command, 0o755);
  await writeFile(keys, Array.from({ length: 60 }, (_, index) => `hot:${index}\n`).join(''));
  const own = { ...rig().permit('db1'), commands: [command], warmKeys: [keys], postgresql: '/usr/bin' };
  await writeFile(permitFile, stringify(own));
  warm = { host: component.members[0]?.host ?? '', command: [command], keys, rate: 40, within: 30_000, watch: 2_000 };
});

const master = async () => ({ host: '127.0.0.1', port: await rig().master() });

test('every key of the file is given to the command, no faster than the rate', async () => {
  const began = performance.now();
  const done = await rig().does.warmCache({ warm, master: await master() });
  expect(done).toMatchObject({ keys: 60 });
  // The sixtieth of forty a second comes after 59 fortieths.
  expect(performance.now() - began).toBeGreaterThan(1_400);
  expect(await rig().ask((await master()).port, 'GET', 'hot:59')).toBe('loaded');
});

test('a file that the host does not permit is given to nobody', async () => {
  const keys = join(rig().root, 'permit.yaml');
  await expect(rig().does.warmCache({ warm: { ...warm, keys }, master: await master() })).rejects.toMatchObject({
    type: 'NotPermitted',
    message: expect.stringContaining('under "warmKeys:"'),
  });
});

test('a command that fails is told, with its last words', async () => {
  const away = { host: '127.0.0.1', port: 1 };
  await expect(rig().does.warmCache({ warm, master: away })).rejects.toMatchObject({
    type: 'CacheCold',
    message: expect.stringMatching(/exit code 3.*Could not connect/),
  });
});

/** Half of what is asked for is there, for as long as it is watched; what was asked for before would say otherwise. */
async function halfIsThere(wanted: number) {
  const { port } = await master();
  for (let before = 0; before < 200; before += 1) await rig().ask(port, 'GET', 'never:there');
  let over = false;
  const watched = rig()
    .does.cacheHitRatio({ ...rig().about, watchMs: 2_000, wanted })
    .finally(() => {
      over = true;
    });
  const asked = async () => {
    while (!over) for (const key of ['hot:1', 'never:there']) await rig().ask(port, 'GET', key);
  };
  return Promise.all([watched, asked()]).then(([found]) => found);
}

test('what clients ask for while they are watched is counted, and nothing of before', async () => {
  const { ratio = 0, hits, misses } = await halfIsThere(0.4);
  expect(ratio).toBeCloseTo(0.5, 1);
  expect(Math.abs(hits - misses)).toBeLessThanOrEqual(2);
});

test('less than is wanted is said in numbers', async () => {
  await expect(halfIsThere(0.9)).rejects.toMatchObject({
    type: 'CacheCold',
    message: expect.stringMatching(/were there \([45]\d(\.\d)?%\), expected 90% at least/),
  });
});
