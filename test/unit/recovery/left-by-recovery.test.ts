import { describe, expect, test } from 'vitest';
import { leftByRecovery, type NotedRecovery } from '../../../recovery/left-by-recovery.ts';

const places = [
  { host: 'db1', start: 'pg_ctl -D /srv/db1 start' },
  { host: 'db2', start: 'pg_ctl -D /srv/db2 start' },
];
const aside = (host: string) => ({ host, directory: `/srv/${host}.before-x`, dataDirectory: `/srv/${host}` });

const changes = [
  'close-the-front-door',
  'restore-the-backup-beside-on-db1',
  'stop-the-standby-on-db2',
  'stop-the-primary',
  'put-the-restored-data-in-place-on-db1',
  'start-the-recovered-primary',
];

function ended(count: number, more: Partial<NotedRecovery> = {}): string {
  const steps = changes.slice(0, count).map((step) => ({ id: `database/${step}`, kind: 'change', state: 'done' }));
  const setAside = count >= 5 ? [aside('db1')] : [];
  return leftByRecovery({ steps, setAside, doorClosed: { byHand: 'Open it to db1.' }, ...more }, places).join('\n');
}

describe('what leads out of a recovery that was ended in its middle', () => {
  test('nothing, before the door was closed, after it was opened, and while it took things back', () => {
    expect(ended(0)).toBe('');
    expect(
      leftByRecovery({ steps: [{ id: 'database/close-the-front-door', kind: 'change', state: 'done' }] }, []),
    ).toEqual([]);
    expect(ended(1, { steps: [{ id: 'closing/undo', kind: 'undo', state: 'running' }] })).toBe('');
  });

  test('while it was restored beside, only the door', () => {
    expect(ended(2)).toBe('Open it to db1.\nLet the application write again (application.resume of the plan).');
  });

  test.each([3, 4])('after %i changes, the servers that were stopped', (count) => {
    expect(ended(count)).toMatch(/^Start what does not run, the primary first: pg_ctl -D \/srv\/db1 start on db1/);
  });

  test('between the renames the way back, before anything is started', () => {
    const words = ended(5);
    expect(words).toMatch(
      /^On db1, if \/srv\/db1\.before-x is there: .*mv \/srv\/db1\.before-x \/srv\/db1\.\nStart what/,
    );
  });

  test('once the recovered primary was started there is only the way on', () => {
    const words = ended(6);
    expect(words).toMatch(/^The recovered database is in place on db1.*Never start \/srv\/db1\.before-x again/);
    expect(words).toContain('db2 still has its old data');
    expect(ended(6, { setAside: [aside('db1'), aside('db2')] })).toContain('in place on db2: pg_ctl -D /srv/db2 start');
    expect(words).not.toContain('mv ');
  });
});
