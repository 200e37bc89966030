import { describe, expect, test } from 'vitest';
import { orders } from '../plan/orders.ts';
import { besideBadPlan, here, ids, on, said, server, theThree, useSchedules } from './scheduled.ts';
import { proven, running, scriptedRun, stage } from './stage.ts';

useSchedules();

describe('apply', () => {
  test('makes what the plan wants, and a second time changes nothing', async () => {
    expect(await said('apply')).toMatchObject({ code: 0, text: expect.stringContaining('3 made.') });
    expect(ids()).toEqual(theThree);
    expect(await said('apply')).toMatchObject({ code: 0, text: expect.stringContaining('3 as the plan says.') });
    expect(server.done).toHaveLength(3);
  });

  test('removes what the plan no longer has, also under a name of another version', async () => {
    server.put('lifeboat/orders/anchor');
    server.put('lifeboat/orders/weekly-something');
    expect((await said('apply')).text).toContain('3 made, 2 removed');
    expect(ids()).toEqual(theThree);
  });

  test('leaves the schedules of other services, and those that only have such a name', async () => {
    server.put('lifeboat/billing/full-backup');
    server.put('lifeboat/orders/by-hand', { ours: false });
    server.put('cleaning');
    await said('apply');
    expect(ids()).toEqual(['cleaning', 'lifeboat/billing/full-backup', 'lifeboat/orders/by-hand', ...theThree].sort());
  });

  test('does not overwrite one of somebody else that is in the way, and says so', async () => {
    const theirs = server.put('lifeboat/orders/full-backup', { ours: false });
    const before = structuredClone(theirs);
    expect(await said('apply')).toMatchObject({ code: 4, text: expect.stringContaining('was not made by Lifeboat') });
    expect(server.there.get('lifeboat/orders/full-backup')).toEqual(before);
  });

  test('keeps the pause of people and their note when it changes the times', async () => {
    await said('apply');
    Object.assign(server.there.get('lifeboat/orders/full-backup') ?? {}, {
      paused: true,
      note: 'ana: the store moves',
    });
    await said('apply', orders.replace('full: daily 02:00 UTC', 'full: daily 03:00 UTC'));
    expect(server.done.at(-1)).toBe('change lifeboat/orders/full-backup');
    expect(server.there.get('lifeboat/orders/full-backup')).toMatchObject({
      paused: true,
      note: 'ana: the store moves',
    });
  });

  test('begins again when somebody has changed a schedule at the same time', async () => {
    await said('apply');
    let raced = false;
    server.before = (id) => {
      if (raced || id !== 'lifeboat/orders/full-backup') return;
      raced = true;
      const found = server.there.get(id);
      if (found) Object.assign(found, { version: found.version + 1, paused: true, note: 'paused meanwhile' });
    };
    const { code } = await said('apply', orders.replace('full: daily 02:00 UTC', 'full: daily 03:00 UTC'));
    expect(code).toBe(0);
    expect(server.there.get('lifeboat/orders/full-backup')).toMatchObject({
      paused: true,
      definition: { times: 'daily 03:00 UTC' },
    });
  });

  test('gives up in words on one that somebody else changes each time', async () => {
    await said('apply');
    server.before = (id) => {
      const found = server.there.get(id);
      if (found) found.version += 1;
    };
    const { text, code } = await said('apply', orders.replace('full: daily 02:00 UTC', 'full: daily 03:00 UTC'));
    expect(code).toBe(4);
    expect(text).toContain('somebody else keeps changing lifeboat/orders/full-backup');
  });

  test('with --dry-run only says what it would do', async () => {
    expect(await said('apply --dry-run')).toMatchObject({ code: 0, text: expect.stringContaining('3 to be made.') });
    expect(server.done).toEqual([]);
  });
});

describe('diff', () => {
  test('ends with 7 while anything differs, with 0 when nothing does', async () => {
    expect((await said('diff')).code).toBe(7);
    await said('apply');
    expect((await said('diff')).code).toBe(0);
    const { text, code } = await said('diff', orders.replace('incremental: every 6h', 'incremental: every 4h'));
    expect(code).toBe(7);
    expect(text).toContain('~ incremental-backup   times: every 6h; the plan says every 4h');
    expect(server.done).toHaveLength(3);
  });

  test('sees a longer time to begin in, and nothing else', async () => {
    await said('apply');
    const at = await on(`${orders}schedules: { startWithin: 2h }\n`);
    await at.type('schedules', 'diff', '--json');
    const { changes } = JSON.parse(at.out.join(''));
    expect(changes).toHaveLength(3);
    for (const { change, says } of changes) {
      expect(change).toBe('change');
      expect(says).toEqual(['starts what was missed within: 1h; should be 2h']);
    }
  });

  test('tells of a plan that cannot be read, and looks at no schedule of it', async () => {
    await said('apply');
    server.put('lifeboat/billing/full-backup');
    const at = await besideBadPlan();
    await at.type('schedules', 'apply');
    expect(at.code()).toBe(2);
    expect(at.messages.join('\n')).toContain('bad.yaml');
    expect(ids()).toContain('lifeboat/billing/full-backup');
  });

  test('without a plan says what is missing', async () => {
    const at = stage({ schedules: server });
    await at.type('schedules', 'diff');
    expect(at.code()).toBe(2);
    expect(at.messages.join('\n')).toContain('LIFEBOAT_PLANS names no plan');
  });
});

describe('list', () => {
  test('shows what is missing, what is paused and why, what came last, and how often one was left out', async () => {
    await said('apply');
    server.there.delete('lifeboat/orders/incremental-backup');
    const newest = { run: 'orders-7f3a', scheduledAt: new Date('2026-12-05T02:00:00Z') };
    Object.assign(server.there.get('lifeboat/orders/full-backup') ?? {}, { paused: true, note: 'the store moves' });
    Object.assign(server.there.get('lifeboat/orders/monthly-drill') ?? {}, { newest, skipped: 2 });
    const at = await on(orders, { schedules: server, runs: { 'orders-7f3a': ended() }, environment: here() });
    await at.type('schedules');
    const text = at.out.join('\n');
    expect(text).toContain('NOT ON THE SERVER: lifeboat schedules apply');
    expect(text).toContain('PAUSED: the store moves');
    expect(text).toContain('last PROVEN orders-7f3a, 5 Dec 2026, 02:00:00Z');
    expect(text).toContain('left out 2 times: the run before was still going on');
  });

  test('names the schedules that have no plan here, and leaves them', async () => {
    server.put('lifeboat/billing/full-backup');
    const { text } = await said('list');
    expect(text).toContain('for want of a plan here: lifeboat/billing/full-backup');
    expect(text).toContain('lifeboat schedules remove <service>');
  });

  const ended = () => scriptedRun([{ state: running({ status: 'completed' }) }], proven);
});

describe('next', () => {
  test('prints twelve times of each without asking Temporal', async () => {
    const at = await on(orders, { unreachable: true, environment: here() });
    await at.type('schedules', 'next', '--json');
    const { schedules } = JSON.parse(at.out.join(''));
    expect(schedules.map(({ name }: { name: string }) => name)).toEqual([
      'monthly-drill',
      'full-backup',
      'incremental-backup',
    ]);
    for (const { times } of schedules) expect(times).toHaveLength(12);
    expect(at.code()).toBeUndefined();
  });

  test('refuses a count that is none', async () => {
    expect((await said('next --count none')).code).toBe(2);
  });
});

describe('pause and resume', () => {
  test('pause one with a reason and the name of who asked; a pause that is there keeps its reason', async () => {
    await said('apply');
    const at = await on();
    await at.type('schedules', 'pause', 'full-backup', '--reason', 'the store moves', '--as', 'ana@laptop');
    expect(server.there.get('lifeboat/orders/full-backup')).toMatchObject({
      paused: true,
      note: 'the store moves (ana@laptop)',
    });
    expect((await said('pause orders --reason again')).text).toContain(
      'is paused already: the store moves (ana@laptop)',
    );
    expect(server.done.slice(3)).toEqual([
      'pause lifeboat/orders/full-backup',
      'pause lifeboat/orders/monthly-drill',
      'pause lifeboat/orders/incremental-backup',
    ]);
    await said('resume');
    expect([...server.there.values()].some(({ paused }) => paused)).toBe(false);
  });

  test('a pause needs a reason', async () => {
    expect((await said('pause full-backup')).code).toBe(2);
    const blank = await on();
    await blank.type('schedules', 'pause', 'full-backup', '--reason', ' ');
    expect(blank.code()).toBe(2);
    expect(blank.messages.join()).toContain('write why');
    expect([...server.there.values()].some(({ paused }) => paused)).toBe(false);
  });

  test('a name that two services have is refused, with both', async () => {
    await said('apply');
    server.put('lifeboat/billing/full-backup');
    const { text, code } = await said('pause full-backup --reason test');
    expect(code).toBe(2);
    expect(text).toMatch(/orders\/full-backup or billing\/full-backup/);
    expect(server.done.filter((one) => one.startsWith('pause'))).toEqual([]);
  });

  test('an unknown name is refused with the nearest', async () => {
    await said('apply');
    const { text, code } = await said('resume fullbackup');
    expect(code).toBe(5);
    expect(text).toContain('did you mean "full-backup"?');
  });
});
