import { beforeEach, describe, expect, test } from 'vitest';
import { orders } from '../plan/orders.ts';
import { besideBadPlan, ids, on, said, server, theThree, useSchedules } from './scheduled.ts';
import { stage } from './stage.ts';

useSchedules();

describe('remove', () => {
  const two = ['lifeboat/billing/anchor', 'lifeboat/billing/full-backup'];
  beforeEach(async () => {
    await said('apply');
    for (const id of two) server.put(id);
  });
  const removed = () => server.done.filter((one) => one.startsWith('remove'));

  test('of a service whose plan is gone shows them, asks, and ends them and nothing else', async () => {
    const at = await on(orders, { answer: true });
    await at.type('schedules', 'remove', 'billing');
    expect(at.out[0]).toContain('billing/anchor, billing/full-backup');
    expect(at.messages).toContain('Remove these 2?');
    expect(ids()).toEqual(theThree);
    expect(at.code()).toBe(0);
  });

  test('removes one of them by its whole name', async () => {
    expect((await said('remove billing/anchor --yes')).code).toBe(0);
    expect(removed()).toEqual(['remove lifeboat/billing/anchor']);
  });

  test.each([false, undefined])('removes nothing when the answer is %s', async (answer) => {
    const at = await on(orders, answer === undefined ? {} : { answer });
    await at.type('schedules', 'remove', 'billing');
    expect(at.messages.join()).toContain('Nothing was removed');
    expect(at.code()).toBe(10);
    expect(removed()).toEqual([]);
  });

  test('with --json asks nobody, and removes only with --yes', async () => {
    const at = await on(orders, { answer: true });
    await at.type('schedules', 'remove', 'billing', '--json');
    expect(JSON.parse(at.out.join(''))).toEqual({ schedules: two, removed: [] });
    expect(removed()).toEqual([]);
  });

  test.each(['orders', 'orders/full-backup', 'full-backup'])('leaves %s to the plan that there is', async (name) => {
    if (name === 'full-backup') server.there.delete('lifeboat/billing/full-backup');
    const { text, code } = await said(`remove ${name} --yes`);
    expect(code).toBe(4);
    expect(text).toContain('orders has a plan here');
    expect(removed()).toEqual([]);
  });

  test('removes nothing while a plan cannot be read: it may be the one', async () => {
    const at = await besideBadPlan();
    await at.type('schedules', 'remove', 'billing', '--yes');
    expect(at.code()).toBe(2);
    expect(at.messages.join()).toContain('bad.yaml');
    expect(removed()).toEqual([]);
  });

  test('needs no plan: the only service may be the one that is gone', async () => {
    const at = stage({ schedules: server });
    await at.type('schedules', 'remove', 'billing', '--yes');
    expect(removed()).toEqual(two.map((id) => `remove ${id}`));
  });

  test('leaves what only has such a name, and says what there is', async () => {
    server.put('lifeboat/billing/by-hand', { ours: false });
    const { text, code } = await said('remove billing/by-hand --yes');
    expect(code).toBe(5);
    expect(text).toContain('There is no schedule "billing/by-hand"');
    expect(ids()).toContain('lifeboat/billing/by-hand');
  });
});
