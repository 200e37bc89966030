/** Components that restic keeps, as a plan says them. */
import { describe, expect, test } from 'vitest';
import { planInWords } from '../../../cli/plan/words.ts';
import { wantedSchedules } from '../../../cli/schedules/wanted.ts';
import { allSecretNames } from '../../../plan/hosts.ts';
import { loadPlanText } from '../../../plan/load.ts';
import { componentOf, fileBackupOf } from '../../../plan/schedule-entries.ts';
import { kept } from '../../../plan/schedule-kept.ts';
import { orders, problemsOf } from './orders.ts';

const lines = orders.split('\n').length - 1;
const web = `components:
  web:
    kind: restic
    host: db1
    repository: s3:https://s3.example.com/backups/web
    password: \${file:/etc/lifeboat/web.key}
    accessKeyId: \${env:WEB_KEY}
    secretAccessKey: \${env:WEB_SECRET}
    paths: [/etc/nginx, /etc/ssl/orders]
    schedule: daily 03:00 UTC
    newestWithin: 30h
    inUse:
      test: [/usr/sbin/nginx, -t]
      reload: [/usr/bin/sudo, -n, /usr/bin/systemctl, reload, nginx]
      healthy: { url: http://127.0.0.1/health }
      workers: /run/nginx.pid
`;

/** Lines are counted from the one that says `components:`. */
function wrong(from = '', to = ''): string[] {
  if (!web.includes(from)) throw new Error(`the components have no "${from}"`);
  return problemsOf(orders + web.replace(from, () => to)).map((problem) =>
    problem.replace(/^orders\.yaml:(\d+)/, (_, line) => `${Number(line) - lines}`),
  );
}

const plan = loadPlanText(orders + web, 'orders.yaml').plan;

test('files that are right are read, and what is not said has a usual value', () => {
  expect(wrong()).toEqual([]);
  expect(plan.components?.web).toMatchObject({
    after: [],
    newestWithin: 30 * 3_600_000,
    inUse: { healthy: { status: 200, within: 30_000 } },
  });
  expect(allSecretNames(plan)).toEqual(
    expect.arrayContaining(['${file:/etc/lifeboat/web.key}', '${env:WEB_KEY}', '${env:WEB_SECRET}']),
  );
});

test('a plan that is read aloud says where they go, and when', () => {
  const words = planInWords({ plan, file: 'orders.yaml', sha256: 'ab12cd34ef56' }, new Date('2026-12-01T00:00:00Z'));
  expect(words).toContain(
    'The files of web (/etc/nginx and /etc/ssl/orders on db1) go into s3:https://s3.example.com/backups/web every day at 03:00 UTC; the newest snapshot may be 30 h old.',
  );
});

describe('what cannot be meant is refused with its place', () => {
  test.each([
    ['s3:https://s3.example.com/backups/web', '/srv/backups', '5:17 not a repository in an object store'],
    ['s3:https://s3.example.com/backups/web', 's3:https://me:mine@s3.example.com/backups', '5:17 not a repository'],
    ['${file:/etc/lifeboat/web.key}', 'swordfish', '6:15 a secret is only named here'],
    ['/etc/ssl/orders]', '/etc/ssl/*]', '9:25 restic would read "*"'],
    ['/etc/ssl/orders]', '/etc/nginx/sites]', '9:25 /etc/nginx/sites and /etc/nginx lie in each other'],
    ['/etc/ssl/orders]', '/etc/nginx]', '9:25 /etc/nginx is a path of this component already'],
    ['/etc/ssl/orders]', '/var/lib/postgresql]', '9:25 /var/lib/postgresql and the data directory of db1'],
    [
      '/etc/ssl/orders]',
      '/var/lib/postgresql/15/main/base]',
      '9:25 /var/lib/postgresql/15/main/base and the data directory',
    ],
    ['/etc/ssl/orders]', '/var/lib/lifeboat]', '9:25 /var/lib/lifeboat and the directory for evidence'],
    ['paths: [/etc/nginx, /etc/ssl/orders]', 'paths: []', '9:12 the list is empty'],
    ['daily 03:00 UTC', 'nightly', '10:15 "nightly" is not a schedule'],
    ['30h', '20h', '11:19 the newest snapshot cannot always be younger than 20h'],
    ['[/usr/sbin/nginx, -t]', '[nginx, -t]', '13:14 "nginx" is no path of a program'],
    ['http://127.0.0.1/health', 'ftp://127.0.0.1/health', '15:23 healthy.url is not an address'],
    ['host: db1', 'host: db7', '4:11 host "db7" is in no site'],
  ])('%s as %s', (from, to, problem) => {
    const [place = '', ...words] = problem.split(' ');
    expect(wrong(from, to).find((one) => one.startsWith(`${place} `))).toContain(words.join(' '));
  });

  test('files of two components on one host, and not of two on two', () => {
    const other = web
      .replace('components:\n  web:', '  other:')
      .replace('[/etc/nginx, /etc/ssl/orders]', '[/etc/nginx/sites]');
    expect(problemsOf(orders + web + other).join('\n')).toContain('that is a path of component web already');
    expect(problemsOf(orders + web + other.replace('host: db1', 'host: db2'))).toEqual([]);
  });
});

describe('a backup of files that the plan schedules', () => {
  test('becomes a schedule with a name of its own', () => {
    const wanted = wantedSchedules(plan).find(({ name }) => name === 'file-backup-web');
    expect(wanted).toMatchObject({
      id: 'lifeboat/orders/file-backup-web',
      words: 'daily 03:00 UTC',
      spreadMs: 60_000,
      order: {
        type: 'fileBackup',
        input: { service: 'orders', mode: 'live', component: 'web', requestedBy: 'schedule' },
      },
    });
    expect([componentOf(fileBackupOf('web')), componentOf('full-backup')]).toEqual(['web', undefined]);
  });

  test.each([
    [{ runbook: 'file-backup', type: 'web' }, 'kept'],
    [{ runbook: 'file-backup' }, 'kept'],
    [{ runbook: 'file-backup', type: 'other' }, 'missed'],
    [{ runbook: 'backup', type: 'full' }, 'missed'],
  ])('is kept by %j: %s', (run, state) => {
    const now = new Date('2026-12-05T09:00:00Z');
    const entry = wantedEntry();
    const runs = [
      {
        run: 'orders-1',
        mode: 'live',
        outcome: 'completed',
        startedAt: '2026-12-05T03:00:10Z',
        endedAt: '2026-12-05T03:01:00Z',
        ...run,
      },
    ];
    const found = kept({ service: 'orders', entry, runs, onServer: { paused: false }, startWithinMs: 3_600_000, now });
    expect(found.state).toBe(state);
    if (state === 'missed')
      expect(found.troubles[0]?.message).toContain(
        `The file backup of web of 2026-12-05 03:00Z did not run: lifeboat start file-backup orders --mode live --input '{"component":"web"}'`,
      );
  });

  test('is no backup of the database', () => {
    const now = new Date('2026-12-05T09:00:00Z');
    const entry = { ...wantedEntry(), name: 'full-backup' as const };
    const runs = [
      {
        run: 'orders-1',
        runbook: 'file-backup',
        mode: 'live',
        outcome: 'completed',
        startedAt: '2026-12-05T03:00:10Z',
      },
    ];
    expect(kept({ service: 'orders', entry, runs, onServer: { paused: false }, startWithinMs: 0, now }).state).toBe(
      'missed',
    );
  });
});

function wantedEntry() {
  return {
    name: fileBackupOf('web'),
    words: 'daily 03:00 UTC',
    schedule: { kind: 'daily', hour: 3, minute: 0, zone: 'UTC' },
  } as Parameters<typeof kept>[0]['entry'];
}
