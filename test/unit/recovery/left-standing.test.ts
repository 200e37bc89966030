import { describe, expect, test } from 'vitest';
import { leftBySwitchover } from '../../../recovery/left-by-switchover.ts';
import { type Standing, type Stands, standingInWords, whatToDo } from '../../../recovery/left-standing.ts';

const traffic = { backend: 'postgres', socket: '/run/haproxy.sock' };
const places = ['db1', 'db2'].map((host) => ({ host, dataDirectory: `/data/${host}`, start: `start ${host}` }));
const [db1, db2] = places as [Omit<Stands, 'role'>, Omit<Stands, 'role'>];

function standing(old: Partial<Stands>, young: Partial<Stands>, leadsTo: string[] | undefined = []): Standing {
  return {
    members: [
      { ...db1, role: 'unknown', ...old },
      { ...db2, role: 'unknown', ...young },
    ],
    leadsTo,
    traffic,
  };
}

const openTo = (host: string) => `echo "set server postgres/${host} state ready" | socat stdio /run/haproxy.sock`;

describe('what people do by hand after a switchover that was ended in its middle', () => {
  test('is nothing where one primary is served and followed', () => {
    expect(whatToDo(standing({ role: 'primary' }, { role: 'standby', standbyOnly: true }, ['db1']))).toEqual([]);
  });

  test('with a closed door alone, is to open it to the only primary', () => {
    const [step, ...more] = whatToDo(standing({ role: 'primary' }, { role: 'standby', standbyOnly: true }));
    expect(step).toContain(openTo('db1'));
    expect(more).toEqual([]);
  });

  test('before the promotion, is to go back: the old primary is started, and its standby.signal removed before that', () => {
    const stopped = whatToDo(standing({ role: 'stopped' }, { role: 'standby', standbyOnly: true }));
    expect(stopped).toEqual([expect.stringContaining('start db1'), expect.stringContaining(openTo('db1'))]);
    expect(stopped[0]).not.toContain('rm ');
    const [held] = whatToDo(standing({ role: 'stopped', standbyOnly: true }, { role: 'standby', standbyOnly: true }));
    expect(held).toContain('rm /data/db1/standby.signal, then start db1');
  });

  test('after the promotion, is to go on: the door is opened to the new primary, the old one follows it', () => {
    const steps = whatToDo(standing({ role: 'stopped', standbyOnly: true }, { role: 'primary' }));
    expect(steps).toEqual([expect.stringContaining(openTo('db2')), expect.stringContaining('Let db1 follow db2')]);
  });

  test('never is to start a server that would be a second primary', () => {
    const steps = whatToDo(standing({ role: 'stopped' }, { role: 'primary' }, ['db2']));
    expect(steps.join()).not.toContain('start db1');
    expect(steps.join()).toContain('second primary');
  });

  test('while somebody does not answer, begins with finding out, and starts nobody', () => {
    const steps = whatToDo(standing({ role: 'stopped', standbyOnly: true }, { role: 'unknown' }));
    expect(steps).toEqual([expect.stringContaining('how db2 stands')]);
  });

  test('with two primaries, is to stop one, and to open nothing', () => {
    const steps = whatToDo(standing({ role: 'primary' }, { role: 'primary' }));
    expect(steps.join()).toContain('Stop db1 or db2');
    expect(steps.join()).not.toContain('set server');
  });
});

describe('where a switchover was, by what it had noted', () => {
  const changes = [
    'close-the-front-door',
    'stop-the-primary',
    'let-the-old-primary-start-as-a-standby-only',
    'promote-the-standby',
    'open-the-front-door-to-the-new-primary',
  ];
  const ended = (count: number, running = false) =>
    leftBySwitchover(
      {
        approvals: [{ subject: { from: 'db1', to: 'db2' } }],
        steps: changes.slice(0, count).map((step, index) => ({
          id: `traffic/${step}`,
          kind: 'change',
          state: running && index === count - 1 ? 'running' : 'done',
        })),
      },
      places,
      traffic,
    );

  test.each([
    [1, 'db1 primary, db2 standby; the front door leads to nobody'],
    [2, 'db1 stopped, db2 standby; the front door leads to nobody'],
    [3, 'db1 stopped (standby.signal), db2 standby; the front door leads to nobody'],
    [4, 'db1 stopped (standby.signal), db2 primary; the front door leads to nobody'],
    [5, 'db1 stopped (standby.signal), db2 primary; the front door leads to db2'],
  ])('after %i changes', (count, words) => {
    const found = ended(count);
    expect(found === undefined ? '' : standingInWords(found)).toBe(words);
  });

  test('a promotion that was under way may have happened', () => {
    expect(ended(4, true)?.members[1]?.role).toBe('unknown');
  });

  test('before the door was closed nothing is left to be told', () => {
    expect(ended(0)).toBeUndefined();
  });
});

describe('where a failover was, by what it had noted', () => {
  const done = [
    'database/fail-over',
    'database/close-the-front-door',
    'database/fence-the-old-primary',
    'database/promote-the-standby',
    'traffic/open-the-front-door-to-the-new-primary',
    'validation/start-the-standby',
  ];
  const ended = (count: number) =>
    leftBySwitchover(
      {
        approvals: [
          { subject: { from: 'db1', to: 'db2' } },
          // Of the old primary's replacement, which says nothing of who took over.
          { subject: { standby: 'db1', primary: 'db2' } },
        ],
        steps: done.slice(0, count).map((id) => ({ id, kind: 'change', state: 'done' })),
      },
      places,
      traffic,
    );

  test.each([
    [2, 'db1 unknown, db2 standby; the front door leads to nobody'],
    [3, 'db1 stopped (standby.signal), db2 standby; the front door leads to nobody'],
    [4, 'db1 stopped (standby.signal), db2 primary; the front door leads to nobody'],
    [5, 'db1 stopped (standby.signal), db2 primary; the front door leads to db2'],
    [6, 'db1 unknown (standby.signal), db2 primary; the front door leads to db2'],
  ])('after %i steps', (count, words) => {
    const found = ended(count);
    expect(found === undefined ? '' : standingInWords(found)).toBe(words);
  });
});
