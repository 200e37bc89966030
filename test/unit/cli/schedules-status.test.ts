import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ListedRun } from '../../../cli/engine/engine.ts';
import { orders } from '../plan/orders.ts';
import { here, on, said, server, useSchedules } from './scheduled.ts';
import { proven, running, scriptedRun } from './stage.ts';

useSchedules();

describe('status', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-12-06T09:00:00Z') });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const drill: ListedRun = {
    run: 'orders-7f3a',
    runId: 'run-id-1',
    runbook: 'monthly-drill',
    service: 'orders',
    mode: 'drill',
    outcome: 'proven',
    status: 'completed',
    startedAt: new Date('2026-12-05T02:00:00.100Z'),
    endedAt: new Date('2026-12-05T02:20:00Z'),
  };

  async function status(listed: ListedRun[]): Promise<string> {
    const runs = { 'orders-7f3a': scriptedRun([{ state: running({ status: 'completed' }) }], proven) };
    const at = await on(orders, { schedules: server, listed, runs, environment: here() });
    await at.type('status');
    return at.out.join('\n');
  }

  test('says that nothing of a plan is scheduled, in one line', async () => {
    expect(await status([drill])).toContain(
      'MISSING  Nothing that the plan of orders schedules is on the Temporal server: lifeboat schedules apply',
    );
  });

  test('shows a missed drill, a paused backup and what comes next', async () => {
    await said('apply');
    for (const one of server.there.values()) one.since = '2026-01-01T00:00:00Z';
    Object.assign(server.there.get('lifeboat/orders/full-backup') ?? {}, { paused: true, note: 'the store moves' });
    const text = await status([
      { ...drill, startedAt: new Date('2026-11-07T02:00:00Z'), endedAt: new Date('2026-11-07T02:20:00Z') },
    ]);
    expect(text).toContain('MISSED   The monthly drill of 2026-12-05 02:00Z did not run: lifeboat drill orders');
    expect(text).toContain('PAUSED   The full backup is paused ("the store moves")');
    expect(text).toContain('next     monthly-drill 2027-01-02 02:00Z, incremental-backup 2026-12-06 12:00Z');
    // What the store would have known is said to be unknown.
    expect(text).toContain('The evidence store of orders was not read');
  });

  test('tells of the runs although the schedules cannot be read', async () => {
    server.all = async () => {
      throw new Error('PERMISSION_DENIED');
    };
    const text = await status([drill]);
    expect(text).toContain('Schedules were not read: PERMISSION_DENIED');
    expect(text).toContain('PROVEN  orders-7f3a');
    expect(text).not.toContain('MISSING');
  });

  test('is silent on a drill that was held at its time', async () => {
    await said('apply');
    for (const one of server.there.values()) one.since = '2026-01-01T00:00:00Z';
    expect(await status([drill])).not.toContain('monthly drill of');
  });
});
