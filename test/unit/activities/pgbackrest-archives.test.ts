import { expect, test } from 'vitest';
import { archives } from '../../../activities/backups/pgbackrest-archives.ts';
import { restoreCommand } from '../../../activities/backups/pgbackrest-fetch.ts';
import type { PhysicalBackups } from '../../../plan/schema.ts';

const backups: PhysicalBackups = {
  kind: 'pgbackrest',
  stanza: 'orders',
  config: "/etc/it's 100%.conf",
  archiveTimeout: 30_000,
};

test.each([
  'pgbackrest --stanza=orders archive-push %p',
  '/usr/bin/pgbackrest --config=/etc/a.conf --stanza orders archive-push "%p"',
  'pgbackrest archive-push %p',
])('%s archives into the stanza', (command) => {
  expect(archives(backups, command)).toBeUndefined();
});

test.each([
  ['', 'is empty'],
  ['/bin/true', 'does something else'],
  ['cp %p /archive/%f', 'does something else'],
  ['pgbackrest --stanza=orders archive-get %f %p', 'does something else'],
  ['pgbackrest --stanza=other archive-push %p', 'archives into stanza other, the plan has orders'],
])('"%s" does not, and it is said why', (command, why) => {
  expect(archives(backups, command)).toContain(why);
});

test('the restore_command of a standby survives quotes and per cents in its paths', () => {
  expect(restoreCommand(backups, '/srv/pg')).toBe(
    `'pgbackrest' '--config=/etc/it'\\''s 100%%.conf' '--stanza=orders' '--pg1-path=/srv/pg' '--log-level-console=off' '--log-level-file=off' 'archive-get' %f "%p"`,
  );
});
