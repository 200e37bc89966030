import { expect, test } from 'vitest';
import { inOrder, standsOn } from '../../../workflows/phases/components/order.ts';

const component = (after: string[] = []) => ({
  kind: 'systemd' as const,
  host: 'app1',
  unit: 'shop.service',
  after,
});

/** Notes who begins and who has ended, and lets each end only when it is told to. */
function watched(components: Record<string, ReturnType<typeof component>>, names: string[]) {
  const begun: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const branches = inOrder(components, names, (name) => {
    begun.push(name);
    return new Promise((resolve, reject) => {
      ends.set(name, (error) => (error === undefined ? resolve() : reject(error)));
    });
  });
  const all = Promise.allSettled(branches.map((branch) => branch()));
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  const end = async (name: string, error?: Error) => {
    ends.get(name)?.(error);
    await settled();
  };
  return { begun, end, all, settled };
}

const estate = {
  configuration: component(),
  cache: component(),
  shop: component(['configuration', 'cache']),
  reports: component(['shop']),
};

test('what stands on nothing begins at once, side by side; the rest when all below it is there', async () => {
  const { begun, end, all, settled } = watched(estate, Object.keys(estate));
  await settled();
  expect(begun).toEqual(['configuration', 'cache']);
  await end('cache');
  expect(begun).toEqual(['configuration', 'cache']);
  await end('configuration');
  expect(begun).toEqual(['configuration', 'cache', 'shop']);
  await end('shop');
  await end('reports');
  expect((await all).every(({ status }) => status === 'fulfilled')).toBe(true);
});

test('each is begun once, though several stand on it', async () => {
  const components = { ...estate, other: component(['cache']) };
  const { begun, end, settled } = watched(components, Object.keys(components));
  await settled();
  await end('cache');
  await end('configuration');
  expect(begun.toSorted()).toEqual(['cache', 'configuration', 'other', 'shop']);
});

test('what is healthy is not waited for, and what stands below it still is', async () => {
  const { begun, end, settled } = watched(estate, ['configuration', 'reports']);
  await settled();
  expect(begun).toEqual(['configuration']);
  await end('configuration');
  expect(begun).toEqual(['configuration', 'reports']);
});

test('what stands on something that does not come back is not begun', async () => {
  const { begun, end, all, settled } = watched(estate, Object.keys(estate));
  await settled();
  await end('cache', new Error('no quorum'));
  await end('configuration');
  expect(begun).toEqual(['configuration', 'cache']);
  const ends = await all;
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected']);
});

test('what a component stands on is told once, over those that are there already', () => {
  expect(standsOn(estate, 'reports', ['configuration', 'cache'])).toEqual(['configuration', 'cache']);
  expect(standsOn(estate, 'reports', ['shop', 'cache'])).toEqual(['shop']);
  expect(standsOn(estate, 'cache', Object.keys(estate))).toEqual([]);
});
