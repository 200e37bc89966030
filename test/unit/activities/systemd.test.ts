import { describe, expect, test } from 'vitest';
import { doneByOthers, restartedAlready } from '../../../activities/application/guard.ts';
import type { SeenApplication } from '../../../activities/contract.ts';
import { busPathOf, heeds, inWords, readShown, runsOf } from '../../../activities/systemd/shown.ts';
import { wantsPassword } from '../../../activities/systemd/sudo-listing.ts';

describe('what systemctl show says', () => {
  test.each<[string, SeenApplication['runs']]>([
    ['ActiveState=active\nSubState=running\nResult=success', 'up'],
    ['ActiveState=reloading\nResult=success', 'up'],
    ['ActiveState=active\nJob=812', 'changing'],
    ['ActiveState=activating\nSubState=auto-restart\nResult=exit-code', 'changing'],
    ['ActiveState=deactivating\nResult=success', 'changing'],
    ['ActiveState=failed\nResult=start-limit-hit', 'failed'],
    ['ActiveState=inactive\nResult=success', 'stopped'],
    ['ActiveState=inactive\nResult=exit-code', 'failed'],
    ['ActiveState=inactive\nJob=0', 'stopped'],
    ['', 'changing'],
  ])('%j is %s', (text, runs) => {
    expect(runsOf(readShown(text))).toBe(runs);
  });

  test('is told with how it ended, how often it was started again, and that its file has changed', () => {
    const shown = readShown(
      'ActiveState=failed\nSubState=failed\nResult=exit-code\nNRestarts=5\nExecMainCode=1\nExecMainStatus=3\nNeedDaemonReload=yes\nStateChangeTimestamp=Tue 2026-12-01 04:00:00 UTC',
    );
    expect(inWords(shown)).toBe(
      'failed (exit-code, status 3) since Tue 2026-12-01 04:00:00 UTC, started again 5 times by systemd, by a unit file that has changed since',
    );
    expect(
      inWords(readShown('ActiveState=failed\nSubState=failed\nResult=timeout\nExecMainCode=2\nExecMainStatus=9')),
    ).toBe('failed (did not do it in its time and was killed (timeout), signal 9)');
    expect(inWords(readShown('ActiveState=active\nSubState=running\nResult=success\nNRestarts=0'))).toBe(
      'active (running)',
    );
  });
});

test('what a unit heeds is read from its conditions, not from what looks like one', () => {
  const flag = '/run/lifeboat/q';
  const told = (...data: unknown[]) => JSON.stringify({ type: 'a(sbbsi)', data });
  expect(heeds(told(['ConditionPathExists', false, true, flag, 1]), flag)).toBe(true);
  expect(heeds(told(), flag)).toBe(false);
  // Only while it is there; one of several that will do; another file.
  expect(heeds(told(['ConditionPathExists', false, false, flag, 1]), flag)).toBe(false);
  expect(heeds(told(['ConditionPathExists', true, true, flag, 1]), flag)).toBe(false);
  expect(heeds(told(['ConditionPathExists', false, true, `${flag}2`, 1]), flag)).toBe(false);
  expect(busPathOf('1orders@a-b.service')).toBe('/org/freedesktop/systemd1/unit/_31orders_40a_2db_2eservice');
});

describe('what sudo lists', () => {
  const listing = String.raw`Matching Defaults entries for postgres on app1:
    env_reset, mail_badpass, use_pty

User postgres may run the following commands on app1:
    (root) NOPASSWD: /usr/bin/systemctl --no-block start a\:b.service,
        /usr/bin/systemctl --no-block restart a\:b.service, PASSWD: /usr/bin/true
    (root) PASSWD: /usr/bin/systemctl --no-block stop a\:b.service
    (ALL) /usr/bin/false
    (root) SETENV: NOPASSWD: /usr/bin/journalctl
`;
  test.each<[string, boolean]>([
    ['/usr/bin/systemctl --no-block start a:b.service', false],
    ['/usr/bin/systemctl --no-block restart a:b.service', false],
    ['/usr/bin/true', true],
    ['/usr/bin/systemctl --no-block stop a:b.service', true],
    ['/usr/bin/false', true],
    ['/usr/bin/false with words', true],
    ['/usr/bin/journalctl -n 3', false],
    ['/usr/bin/never-heard-of', false],
  ])('%s wants a password: %s', (command, wants) => {
    expect(wantsPassword(listing, command)).toBe(wants);
  });

  test('the last rule decides, and nobody is asked where the host does not authenticate', () => {
    expect(wantsPassword(`${listing}    (ALL) NOPASSWD: ALL\n`, '/usr/bin/false')).toBe(false);
    expect(wantsPassword(listing.replace('env_reset', '!authenticate'), '/usr/bin/false')).toBe(false);
  });
});

describe('whether somebody else has had a hand in it', () => {
  const up: SeenApplication = { runs: 'up', start: 'a', restarts: 0 };
  test.each<[string, SeenApplication, SeenApplication, number, string | undefined]>([
    ['it is as it was', up, up, 1, undefined],
    ['systemd has started it again', up, { runs: 'up', start: 'b', restarts: 1 }, 1, undefined],
    ['systemd has given it up', up, { runs: 'failed', restarts: 5 }, 1, undefined],
    ['somebody has started it anew', up, { runs: 'up', start: 'b', restarts: 0 }, 1, 'was started anew meanwhile'],
    ['an attempt before has', up, { runs: 'up', start: 'b', restarts: 0 }, 2, undefined],
    ['somebody has stopped it', up, { runs: 'stopped', restarts: 0 }, 1, 'was stopped meanwhile'],
    [
      'somebody keeps it down',
      up,
      { runs: 'stopped', restarts: 0, quiesced: 'quiesced by orders-7' },
      2,
      'was quiesced meanwhile: quiesced by orders-7',
    ],
  ])('%s', (_what, from, now, attempt, moved) => {
    expect(doneByOthers(from, now, attempt)).toBe(moved);
  });

  test('a restart that an earlier attempt has begun is not begun again', () => {
    expect(restartedAlready(up, { runs: 'up', start: 'b', restarts: 0 }, 2)).toBe(true);
    expect(restartedAlready(up, { runs: 'changing', restarts: 0 }, 2)).toBe(true);
    expect(restartedAlready(up, up, 2)).toBe(false);
    expect(restartedAlready(up, { runs: 'up', start: 'b', restarts: 0 }, 1)).toBe(false);
    // One that was dying before is not seen to have been restarted by anybody.
    expect(restartedAlready({ runs: 'changing', restarts: 3 }, { runs: 'changing', restarts: 4 }, 2)).toBe(false);
  });
});
