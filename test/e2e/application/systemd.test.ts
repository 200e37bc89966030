/** A unit that a real systemd keeps, by the activities of a host worker that is an ordinary user there. */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ApplicationState, SeenApplication } from '../../../activities/contract.ts';
import { flag, sudoers, unit } from '../../../lab/kept-application.ts';
import { until } from '../../../lab/until.ts';
import type { Hand } from '../activities/hand.ts';
import { type Stage, useMachine, whyNot } from './machine.ts';

describe.skipIf(whyNot !== undefined)('an application that systemd keeps', () => {
  const stage = useMachine();
  let on: Stage;
  let hand: Hand;
  beforeAll(async () => {
    on = stage();
    hand = await on.hand();
  });
  beforeEach(() => on.reset());

  const state = (): Promise<ApplicationState> => hand.call('applicationState', { application: on.component });
  const seen = async (): Promise<SeenApplication> => state();
  const sees = (name: string, value: string | RegExp) =>
    until({ what: `systemd to say ${name}=${value}`, withinMs: 20_000 }, async () =>
      typeof value === 'string' ? (await on.property(name)) === value : value.test(await on.property(name)),
    );
  const goesDown = async () => {
    await on.machine.run('systemctl', 'stop', unit);
    await sees('ActiveState', 'inactive');
  };

  describe('how it stands', () => {
    test('is told with its health; the answer itself is told to nobody', async () => {
      await on.does({ says: 'ok, and a secret' });
      const now = await state();
      expect(now).toMatchObject({
        runs: 'up',
        restarts: 0,
        start: await on.property('InvocationID'),
        health: { healthy: true },
        unit: { activeState: 'active', subState: 'running', needsReload: false, file: `/etc/systemd/system/${unit}` },
      });
      expect(now.found).toMatch(/^orders\.service on app1: active \(running\) since .*answers 200, with "ok" in it$/);
      expect(JSON.stringify(now)).not.toContain('secret');
    });

    test.each([
      [{ health: 503 }, 'answers 503, expected 200'],
      [{ says: 'no' }, 'answers 200 without "ok" in it'],
    ])('%j is not healthy', async (does, words) => {
      await on.does(does);
      expect((await state()).health).toMatchObject({ healthy: false, words: expect.stringContaining(words) });
      const hurried = { ...on.component, healthy: { ...on.component.healthy, within: 500 } };
      await expect(hand.call('applicationStands', { application: hurried })).rejects.toMatchObject({
        type: 'ApplicationDown',
        message: expect.stringContaining(words),
      });
    });

    test('of a unit that is not there it is said that nobody can start it', async () => {
      const missing = { ...on.component, unit: 'missing.service', healthy: undefined };
      await expect(hand.call('applicationState', { application: missing })).resolves.toMatchObject({
        unfit: expect.stringContaining('systemd knows no such unit'),
      });
      await expect(
        hand.call('applicationMayBeChanged', { application: missing, quiesce: false }),
      ).rejects.toMatchObject({ type: 'ApplicationUnfit' });
    });
  });

  test('of a unit that somebody has masked it is said that nobody can start it, and nobody does', async () => {
    await goesDown();
    await on.machine.run('rm', `/etc/systemd/system/${unit}`);
    await on.machine.run('systemctl', 'mask', unit);
    const from = await seen();
    await expect(
      hand.call('applicationMayBeChanged', { application: on.component, quiesce: false }),
    ).rejects.toMatchObject({ type: 'ApplicationUnfit', message: expect.stringContaining('is masked') });
    await expect(hand.call('startApplication', { application: on.component, from })).rejects.toMatchObject({
      type: 'ApplicationUnfit',
    });
    expect(await on.property('ActiveState')).toBe('inactive');
    await on.machine.run('systemctl', 'unmask', unit);
  });

  describe('what may be done', () => {
    test('is known beforehand, and changes nothing', async () => {
      const before = await on.property('InvocationID');
      const { found } = await hand.call('applicationMayBeChanged', { application: on.component, quiesce: false });
      expect(found).toContain('sudo lets this user change it');
      expect(await on.property('InvocationID')).toBe(before);
    });

    test('a right that is missing is named as the line that gives it', async () => {
      const [user = ''] = (await on.machine.run('stat', '--format=%U', '/var/lib/lifeboat')).split('\n');
      const without = sudoers(user).replace(/^.*restart.*\n/m, '');
      await on.machine.write('/etc/sudoers.d/lifeboat', without, '0440');
      const asked = hand.call('applicationMayBeChanged', { application: on.component, quiesce: false });
      const { message } = (await asked.catch((error) => error)) as Error;
      const line = `${user} ALL=(root) NOPASSWD: /usr/bin/systemctl --no-block restart ${unit}`;
      expect(message.endsWith(`: ${line}`)).toBe(true);
      await on.machine.write('/etc/sudoers.d/lifeboat', `${without}${line}\n`, '0440');
      await hand.call('applicationMayBeChanged', { application: on.component, quiesce: false });
    });

    test('a right that wants a password is none, though sudo says yes when it is asked', async () => {
      const [user = ''] = (await on.machine.run('stat', '--format=%U', '/var/lib/lifeboat')).split('\n');
      const withPassword = sudoers(user, { [`--no-block stop ${unit}`]: 'PASSWD' });
      await on.machine.write('/etc/sudoers.d/lifeboat', withPassword, '0440');
      await expect(
        hand.call('applicationMayBeChanged', { application: on.component, quiesce: false }),
      ).rejects.toMatchObject({ type: 'NotPermitted', message: expect.stringContaining(`--no-block stop ${unit}`) });
    });

    test('another unit of the host is not even looked at', async () => {
      const other = { ...on.component, unit: 'dbus.service' };
      for (const activity of ['applicationState', 'stopApplication', 'applicationIsQuiet'] as const)
        await expect(hand.call(activity, { application: other })).rejects.toMatchObject({ type: 'NotPermitted' });
    });
  });

  describe('a start', () => {
    test('counts once the application has stayed up', async () => {
      await goesDown();
      const from = await seen();
      expect(from.runs).toBe('stopped');
      const began = Date.now();
      const { found } = await hand.call('startApplication', { application: on.component, from });
      expect(Date.now() - began).toBeGreaterThanOrEqual(on.component.staysUp);
      expect(found).toContain('it has stayed up for');
      await hand.call('applicationStands', { application: on.component });
      expect(await on.property('ActiveState')).toBe('active');
    });

    test('that dies at once has failed, though systemctl says that all is well', async () => {
      await goesDown();
      await on.serviceIs({ ExecStart: '/bin/false' });
      await on.machine.run('systemctl', 'start', unit);
      await sees('ActiveState', 'failed');
      const start = hand.call('startApplication', { application: on.component, from: await seen() });
      await expect(start).rejects.toMatchObject({
        type: 'ApplicationDown',
        message: expect.stringMatching(/was started, and does not stay up: .*failed \(exit-code, status 1\)/),
      });
    });

    test('that dies a second later has failed too', async () => {
      await goesDown();
      await on.does({ diesAfterMs: 700 });
      await expect(
        hand.call('startApplication', { application: on.component, from: await seen() }),
      ).rejects.toMatchObject({ type: 'ApplicationDown', message: expect.stringContaining('status 3') });
    });

    test('that dies again and again has failed once systemd gives it up, and works when its cause is gone', async () => {
      await goesDown();
      await on.serviceIs({ Restart: 'always', RestartSec: '100ms', StartLimitBurst: '3' });
      await on.does({ diesAfterMs: 50 });
      await expect(
        hand.call('startApplication', { application: on.component, from: await seen() }),
      ).rejects.toMatchObject({ type: 'ApplicationDown', message: expect.stringContaining('status 3') });
      await sees('Result', 'exit-code');
      expect(Number(await on.property('NRestarts'))).toBeGreaterThanOrEqual(2);
      await on.does({});
      // By hand systemd refuses: it was started too often.
      await expect(on.machine.run('systemctl', 'start', unit)).rejects.toThrow(/failed/);
      await hand.call('startApplication', { application: on.component, from: await seen() });
      expect(await on.property('ActiveState')).toBe('active');
    });

    test('of what runs leaves it alone', async () => {
      const before = await on.property('InvocationID');
      const { found } = await hand.call('startApplication', { application: on.component, from: await seen() });
      expect(found).toMatch(/^it ran already/);
      expect(await on.property('InvocationID')).toBe(before);
    });

    test('is taken back: it is down again', async () => {
      await goesDown();
      await hand.call('startApplication', { application: on.component, from: await seen() });
      await hand.call('stopApplication', { application: on.component });
      expect(await on.property('ActiveState')).toBe('inactive');
      await hand.call('stopApplication', { application: on.component });
    });
  });

  describe('a restart', () => {
    test('by a unit file that has changed starts what it says now', async () => {
      const file = (await on.machine.run('cat', `/etc/systemd/system/${unit}`)).replace(
        /(PORT=\d+)/,
        '$1 EDITION=second',
      );
      await on.machine.write(`/etc/systemd/system/${unit}`, file);
      expect(await on.property('NeedDaemonReload')).toBe('yes');
      const from = await state();
      expect(from.found).toContain('by a unit file that has changed since');
      await hand.call('restartApplication', { application: on.component, from });
      const answer = await until({ what: 'the second edition to answer', withinMs: 10_000 }, () =>
        fetch(on.component.healthy.url).then((one) => one.text()),
      );
      expect(answer).toBe('ok second');
    });

    test('is not done to what somebody else has started anew, or stopped', async () => {
      const from = await seen();
      await on.machine.run('systemctl', 'restart', unit);
      const restart = () => hand.call('restartApplication', { application: on.component, from });
      const theirs = await on.property('InvocationID');
      await expect(restart()).rejects.toMatchObject({ type: 'Moved' });
      expect(await on.property('InvocationID')).toBe(theirs);
      await goesDown();
      await expect(restart()).rejects.toMatchObject({ type: 'Moved', message: expect.stringContaining('was stopped') });
      expect(await on.property('ActiveState')).toBe('inactive');
    });

    test('in whose middle the worker is killed is finished by the next attempt, and done once', async () => {
      // Long enough to be met in its middle.
      await on.serviceIs({ ExecStop: '/bin/sleep 3' });
      const from = await seen();
      const starts = await on.starts();
      const victim = await on.hand();
      victim.start('restartApplication', { application: on.component, from });
      await sees('ActiveState', 'deactivating');
      await victim.kill();
      const again = await on.hand();
      await again.start('restartApplication', { application: on.component, from }, { attempt: 2 }).result;
      expect(await on.starts()).toBe(starts + 1);
      expect(await on.property('InvocationID')).not.toBe(from.start);
      // Killed once it was done, it only looks.
      await again.start('restartApplication', { application: on.component, from }, { attempt: 3 }).result;
      expect(await on.starts()).toBe(starts + 1);
    });
  });

  describe('coming back by itself', () => {
    test('is waited for while systemd sees to it', async () => {
      await on.serviceIs({ Restart: 'always', RestartSec: '1' });
      await on.machine.run('systemctl', 'kill', '--signal=KILL', unit);
      const { back } = await hand.call('applicationComesBack', { application: on.component, withinMs: 15_000 });
      expect(back).toBe(true);
      expect(await on.property('NRestarts')).toBe('1');
    });

    test('is not waited for once systemd has given it up', async () => {
      await on.kill();
      const began = Date.now();
      const { back, found } = await hand.call('applicationComesBack', { application: on.component, withinMs: 60_000 });
      expect(back).toBe(false);
      expect(found).toContain('signal 9');
      expect(Date.now() - began).toBeLessThan(30_000);
    });
  });

  describe('kept from running', () => {
    const quiesce = async (by = 'orders-1') =>
      hand.call('quiesceApplication', { application: on.component, from: await seen(), by });

    test('a unit that does not heed the file is not stopped: it would be started again', async () => {
      const before = await on.property('InvocationID');
      await expect(quiesce()).rejects.toMatchObject({
        type: 'ApplicationUnfit',
        message: expect.stringContaining(`ConditionPathExists=!${flag}`),
      });
      await expect(
        hand.call('applicationMayBeChanged', { application: on.component, quiesce: true }),
      ).rejects.toMatchObject({ type: 'ApplicationUnfit' });
      expect(await on.property('InvocationID')).toBe(before);
    });

    test('nobody can start it, not even root, until it is resumed', async () => {
      await on.heedsFlag();
      await hand.call('applicationMayBeChanged', { application: on.component, quiesce: true });
      await quiesce();
      const starts = await on.starts();
      for (const verb of ['start', 'restart']) await on.machine.run('systemctl', verb, unit);
      expect(await on.property('ActiveState')).toBe('inactive');
      expect(await on.starts()).toBe(starts);
      await hand.call('applicationIsQuiet', { application: on.component });
      const from = await seen();
      expect(from.quiesced).toMatch(/^quiesced by orders-1 since /);
      await expect(hand.call('startApplication', { application: on.component, from })).rejects.toMatchObject({
        type: 'ApplicationUnfit',
      });
      // Again, as after a crash.
      await quiesce();
      await hand.call('resumeApplication', { application: on.component, from, start: true });
      expect(await on.property('ActiveState')).toBe('active');
      expect((await state()).quiesced).toBeUndefined();
    });

    test('what is started again and again stays down too', async () => {
      await on.heedsFlag();
      await on.serviceIs({ Restart: 'always', RestartSec: '200ms', StartLimitBurst: '1000' });
      await on.does({ diesAfterMs: 100 });
      await on.machine.run('systemctl', 'restart', unit);
      await sees('NRestarts', /^[1-9]/);
      await quiesce();
      const starts = await on.starts();
      await on.machine.run('systemctl', 'restart', unit);
      await hand.call('applicationIsQuiet', { application: on.component });
      expect(await on.starts()).toBe(starts);
    });

    test('one that does not stop in its time is killed by systemd, which is told', async () => {
      await on.heedsFlag();
      await on.serviceIs({ TimeoutStopSec: '1' });
      await on.does({ ignoresTerm: true });
      await on.restart();
      const { found } = await quiesce();
      expect(found).toContain('did not do it in its time and was killed (timeout)');
      expect(await on.property('Result')).toBe('timeout');
    });

    test('one that takes longer than the plan allows is told as not stopped', async () => {
      await on.heedsFlag();
      await on.does({ ignoresTerm: true });
      await on.restart();
      const hurried = { ...on.component, stopsWithin: 1_000 };
      await expect(
        hand.call('quiesceApplication', { application: hurried, from: await seen(), by: 'orders-1' }),
      ).rejects.toMatchObject({ type: 'ApplicationDown', message: expect.stringContaining('deactivating') });
    });

    test('what somebody else keeps down is neither taken over nor let run', async () => {
      await on.heedsFlag();
      const before = await seen();
      await quiesce('orders-1');
      await expect(quiesce('orders-2')).rejects.toMatchObject({ type: 'Moved' });
      await expect(
        hand.call('resumeApplication', { application: on.component, from: before, start: true, by: 'orders-2' }),
      ).rejects.toMatchObject({ type: 'Moved' });
      await hand.call('applicationIsQuiet', { application: on.component });
      // Whoever has quiesced it takes it back, by what it was before.
      await hand.call('resumeApplication', { application: on.component, from: before, start: true, by: 'orders-1' });
      expect(await on.property('ActiveState')).toBe('active');
    });

    test('what outlives the unit is told as running', async () => {
      await on.heedsFlag();
      await on.serviceIs({ KillMode: 'process', ExecStart: `/bin/sh -c "sleep 1000 & exec sleep 999"` });
      await on.machine.run('systemctl', 'restart', unit);
      const hurried = { ...on.component, stopsWithin: 2_000, healthy: undefined };
      await expect(
        hand.call('quiesceApplication', { application: hurried, from: await seen(), by: 'orders-1' }),
      ).rejects.toMatchObject({
        type: 'ApplicationDown',
        message: expect.stringContaining('1 process of it left running'),
      });
      await on.machine.run('systemctl', 'kill', '--signal=KILL', unit);
    });
  });
});
