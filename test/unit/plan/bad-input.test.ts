import { describe, expect, test } from 'vitest';
import { orders, ordersWith, problemsOf } from './orders.ts';

describe('a plan is refused with file, line, column and what to write instead', () => {
  test('unless it is right', () => {
    expect(problemsOf(orders)).toEqual([]);
  });

  test.each<[what: string, from: string, to: string, problem: string]>([
    [
      'an unknown key, once, with the one that is meant',
      '  criticalTables: [',
      '  critcalTables: [',
      'orders.yaml:28:3 unknown key "critcalTables" in database: did you mean "criticalTables"?',
    ],
    [
      'an unknown key that is like no other',
      'traffic: { kind: haproxy,',
      'traffic: { kind: haproxy, colour: red,',
      'orders.yaml:42:27 unknown key "colour" in traffic: the keys here are kind, socket, backend, stateFile',
    ],
    [
      'a time without a zone',
      'full: daily 02:00 UTC',
      'full: daily 02:00',
      'orders.yaml:36:11 "daily 02:00" is not a schedule: it names no zone: write UTC or a zone such as Europe/Berlin, as in "daily 02:00 UTC"',
    ],
    [
      'the schedule of a drill that is none',
      'schedule: first Saturday 02:00 UTC',
      'schedule: first Saterday 02:00 UTC',
      'orders.yaml:53:24 "first Saterday 02:00 UTC" is not a schedule: after "first" comes a weekday: did you mean "Saturday"?',
    ],
    [
      'a missing secret',
      `    password: \${file:/etc/lifeboat/orders.password}\n`,
      '',
      'orders.yaml:19:3 "password" is missing in database.frontDoor',
    ],
    [
      'budgets beyond the RTO',
      'traffic: 60m',
      'traffic: 61m',
      'orders.yaml:9:1 the phases may take 4h1m together, longer than objectives.rto of 4h: shorten a phase, or promise a longer RTO',
    ],
    [
      'a cadence that cannot meet the RPO of a class of data',
      'archiveTimeout: 30s',
      'archiveTimeout: 2m',
      'orders.yaml:8:19 an RPO of 1m cannot be met: WAL reaches the archive only after up to 2m (backups.physical.archiveTimeout)',
    ],
    [
      'a plan that never takes a full backup',
      '    full: daily 02:00 UTC\n',
      '',
      'orders.yaml:32:3 no full backup is ever taken: write full and when, such as full: daily 02:00 UTC',
    ],
    [
      'an unknown host of a drill',
      'host: db2, directory',
      'host: db3, directory',
      'orders.yaml:53:56 host "db3" is in no site: did you mean "db1"?',
    ],
    [
      'an unknown host of a member',
      '- { host: db2,',
      '- { host: archive,',
      'orders.yaml:27:15 host "archive" is in no site: the sites have db1, db2',
    ],
    [
      'an unknown kind',
      'kind: standalone',
      'kind: rds',
      'orders.yaml:18:9 "rds" is not a kind of database that Lifeboat knows: write standalone or patroni',
    ],
    [
      'a duration that is none',
      'rto: 4h\n',
      'rto: 4 hours\n',
      'orders.yaml:3:8 objectives.rto: "4 hours" is not a duration: write a number and a unit, such as 30s, 15m, 4h or 7d',
    ],
    [
      'a duration without a unit',
      'rto: 4h\n',
      'rto: 240\n',
      'orders.yaml:3:8 objectives.rto is not a duration: write a number and a unit, such as 30s, 15m, 4h or 7d',
    ],
    [
      'no time at all',
      'assessment: 15m',
      'assessment: 0m',
      'orders.yaml:10:15 phases.assessment: "0m" is no time at all: write a number and a unit, such as 30s, 15m, 4h or 7d',
    ],
    [
      'a section that is missing',
      'phases:\n  assessment: 15m\n  database: 45m\n  application: 60m\n  validation: 60m\n  traffic: 60m\n',
      '',
      'orders.yaml:1:1 "phases" is missing',
    ],
    [
      'a key that is missing in an entry of a list',
      '- { host: db1, port: 5432,',
      '- { host: db1,',
      'orders.yaml:26:7 "port" is missing in database.members[0]',
    ],
    ['a key without a value', 'rpo: 5m', 'rpo:', 'orders.yaml:4:3 objectives.rpo has no value'],
    [
      'a text for a number',
      'port: 5432\n',
      "port: '5432'\n",
      'orders.yaml:21:11 database.frontDoor.port is not a port: write a number from 1 to 65535',
    ],
    [
      'a list for a map',
      'physical:\n    kind: pgbackrest\n    stanza: orders\n    config: /etc/pgbackrest/pgbackrest.conf\n    full: daily 02:00 UTC\n    incremental: every 6h\n    archiveTimeout: 30s',
      'physical: [daily]',
      'orders.yaml:32:13 backups.physical is a list: write a map of keys and values',
    ],
    [
      'hosts that are neither a list nor a map',
      'hosts: { db1: 10.0.0.1, db2: 10.0.0.2 }',
      'hosts: db1',
      'orders.yaml:16:18 sites.east.hosts is a text: write a list of names, or a map of names and addresses',
    ],
    [
      'a name with capitals',
      'db2: 10.0.0.2',
      'DB2: 10.0.0.2',
      'orders.yaml:16:35 "DB2" is not a name: use lower-case letters, digits and hyphens, starting with a letter',
    ],
    [
      'an unknown runbook',
      'monthly-drill: {',
      'montly-drill: {',
      'orders.yaml:6:5 Lifeboat has no runbook "montly-drill": did you mean "monthly-drill"?',
    ],
    [
      'a narrower promise of nothing',
      'monthly-drill: { rto: 1h }',
      'monthly-drill: {}',
      'orders.yaml:6:5 objectives.runbooks.monthly-drill promises nothing: write rto, rpo or both',
    ],
    [
      'a data class with a table that is not critical',
      'tables: [payments]',
      'tables: [invoices]',
      'orders.yaml:8:32 table invoices is not one of database.criticalTables, so nothing proves what came back of it: name it there too',
    ],
    [
      'a critical table named twice',
      '[orders, payments]\n',
      '[orders, public.Orders, payments]\n',
      'orders.yaml:28:28 table public.Orders is named twice',
    ],
    [
      'no critical table',
      '[orders, payments]\n',
      '[]\n',
      'orders.yaml:28:19 database.criticalTables: the list is empty: name at least one',
    ],
    [
      'an assertion that writes',
      'select sum(balance) from accounts',
      'with gone as (delete from accounts returning 1) select 0',
      'orders.yaml:30:37 an assertion only reads, and this one says DELETE: write one SELECT that only reads',
    ],
    [
      'an assertion of two statements',
      'select sum(balance) from accounts',
      'select 1; drop table accounts',
      'orders.yaml:30:37 an assertion is one statement, without a semicolon: write one SELECT that only reads',
    ],
    [
      'an assertion that is no question',
      'select sum(balance) from accounts',
      'vacuum',
      'orders.yaml:30:37 an assertion begins with SELECT or WITH: write one SELECT that only reads',
    ],
    [
      'a path with ..',
      '/var/lib/lifeboat/scratch',
      '/var/lib/lifeboat/../scratch',
      'orders.yaml:53:72 drills.monthly.directory is not a plain path: write it without "..", "." and double or closing slashes',
    ],
    [
      'a path that is not absolute',
      '/var/lib/lifeboat/scratch',
      'scratch',
      'orders.yaml:53:72 drills.monthly.directory is not an absolute path: begin with /',
    ],
    [
      'drills inside of a data directory',
      '/var/lib/lifeboat/scratch',
      '/var/lib/postgresql/15/main/scratch',
      'orders.yaml:53:72 the directory for drills lies inside of the data directory /var/lib/postgresql/15/main of db1: write a directory of its own',
    ],
    [
      'restored servers inside of a data directory',
      '- { host: db1, port: 5432, dataDirectory: /var/lib/postgresql/15/main }',
      '- { host: db1, port: 5432, dataDirectory: /var/lib/postgresql/15/main, beside: /var/lib/postgresql/15/main/beside }',
      'orders.yaml:26:84 the directory for restored servers and the data directory /var/lib/postgresql/15/main lie in each other: write a directory beside it, on the same file system',
    ],
    [
      'an application that nothing lets go on',
      '  kind: command\n',
      '  kind: command\n  quiesce: { command: [/bin/stop], host: db1 }\n',
      'orders.yaml:41:3 the application is stopped by a command, and nothing lets it go on: write resume beside quiesce',
    ],
    [
      'an application on a host that is in no site',
      '  kind: command\n',
      '  kind: command\n  resume: { command: [/bin/go], host: db3 }\n',
      'orders.yaml:41:39 host "db3" is in no site: did you mean "db1"?',
    ],
    [
      'a site with a front door and nothing that leads there',
      'hosts: { db1: 10.0.0.1, db2: 10.0.0.2 } }',
      'hosts: { db1: 10.0.0.1, db2: 10.0.0.2 }, frontDoor: { host: 10.1.0.5, port: 5432 } }',
      'orders.yaml:16:52 site east has a front door, and nothing that leads there: write traffic beside it',
    ],
    [
      'a site with a load balancer that nobody could prove closed',
      'hosts: { db1: 10.0.0.1, db2: 10.0.0.2 } }',
      'hosts: { db1: 10.0.0.1, db2: 10.0.0.2 }, traffic: { kind: haproxy, socket: /run/haproxy.sock, backend: postgres } }',
      'orders.yaml:16:52 site east has a load balancer, and no front door where it is reached: write frontDoor: { host, port } beside it',
    ],
    [
      'another way to a host that is here',
      'hosts: { db1: 10.0.0.1, db2: 10.0.0.2 } }',
      'hosts: { db1: 10.0.0.1, db2: 10.0.0.2 }, reaches: { db2: { address: 10.9.0.2, port: 5432 } } }',
      'orders.yaml:16:63 host db2 is in site east itself: leave it out: this is for members of other sites',
    ],
    [
      'another way to a host without a member',
      'hosts: { db1: 10.0.0.1, db2: 10.0.0.2 } }',
      'hosts: { db1: 10.0.0.1, db2: 10.0.0.2 }, reaches: { db3: { address: 10.9.0.2, port: 5432 } } }',
      'orders.yaml:16:63 host db3 has no member of the database: the members are db1, db2',
    ],
    [
      'a fence whose command runs nowhere',
      'pulse: { log: /var/lib/lifeboat/pulse }\n',
      'pulse: { log: /var/lib/lifeboat/pulse }\nfailover: { fencing: [{ kind: command, host: db3, fence: [/bin/off], confirm: [/bin/is-off] }] }\n',
      'orders.yaml:44:46 host "db3" is in no site: did you mean "db1"?',
    ],
    [
      'a fence of no kind that there is',
      'pulse: { log: /var/lib/lifeboat/pulse }\n',
      'pulse: { log: /var/lib/lifeboat/pulse }\nfailover: { fencing: [{ kind: power }] }\n',
      'orders.yaml:44:31 "power" is not a kind of fence that Lifeboat knows: write postgres, command (with host, fence and confirm) or attestation',
    ],
    [
      'drills around a data directory',
      '/var/lib/lifeboat/scratch',
      '/var/lib/postgresql',
      'orders.yaml:53:72 the directory for drills contains the data directory /var/lib/postgresql/15/main of db1: write a directory of its own',
    ],
    [
      'a pulse log where drills clean up',
      '{ log: /var/lib/lifeboat/pulse }',
      '{ log: /var/lib/lifeboat/scratch/pulse }',
      'orders.yaml:43:15 the log of the pulse lies where drills restore and clean up (/var/lib/lifeboat/scratch): write another directory',
    ],
    [
      'a host with two members',
      '- { host: db2,',
      '- { host: db1,',
      'orders.yaml:27:15 host db1 has a member already: a host holds one',
    ],
    [
      'two members at one address',
      'db2: 10.0.0.2',
      'db2: 10.0.0.1',
      'orders.yaml:27:26 another member has address 10.0.0.1 and port 5432 already',
    ],
    [
      'a host in two sites',
      'sites:\n',
      'sites:\n  west: { hosts: [db2] }\n',
      'orders.yaml:17:35 host db2 is in site west already',
    ],
    [
      'a backup that cannot be that young',
      'archiveTimeout: 30s',
      'archiveTimeout: 30s\n    newestWithin: 5h',
      'orders.yaml:39:19 the newest backup cannot always be younger than 5h: up to 6h pass between two: write a longer time, or take backups more often',
    ],
    [
      'an address with a password in it',
      'https://s3.example.com',
      'https://key:hunter2@s3.example.com',
      'orders.yaml:46:13 evidence.endpoint: an address with a password in it: name secrets in accessKeyId and secretAccessKey',
    ],
    [
      'a drill that keeps no size free',
      'directory: /var/lib/lifeboat/scratch',
      'directory: /var/lib/lifeboat/scratch, keepFree: a lot',
      'orders.yaml:53:109 drills.monthly.keepFree is not a size: write a number and a unit, such as 512MB or 10GB',
    ],
  ])('%s', (_what, from, to, problem) => {
    expect(problemsOf(ordersWith([from, to]))).toEqual([problem].flat());
  });

  test('a cadence that cannot meet the RPO of the service', () => {
    expect(problemsOf(ordersWith(['archiveTimeout: 30s', 'archiveTimeout: 5m']))).toEqual([
      'orders.yaml:8:19 an RPO of 1m cannot be met: WAL reaches the archive only after up to 5m (backups.physical.archiveTimeout)',
      'orders.yaml:38:21 WAL reaches the archive only after up to 5m, which cannot meet objectives.rpo of 5m: write less than 5m',
    ]);
  });

  test('everything at once, in the order of the file, also what only shows between parts that are well formed', () => {
    const text = ordersWith(
      ['rto: 4h', 'rto: soon'],
      ['host: db2, directory', 'host: nowhere, directory'],
      ['full: daily 02:00 UTC', 'full: daily 02:00'],
      ['service: orders', 'servce: orders'],
      ['kind: s3', 'kind: floppy'],
    );
    expect(problemsOf(text)).toEqual([
      'orders.yaml:1:1 unknown key "servce": did you mean "service"?',
      'orders.yaml:3:8 objectives.rto: "soon" is not a duration: write a number and a unit, such as 30s, 15m, 4h or 7d',
      'orders.yaml:36:11 "daily 02:00" is not a schedule: it names no zone: write UTC or a zone such as Europe/Berlin, as in "daily 02:00 UTC"',
      'orders.yaml:45:9 "floppy" is not a kind of evidence that Lifeboat knows: write s3',
      'orders.yaml:53:56 host "nowhere" is in no site: the sites have db1, db2',
    ]);
  });
});

describe('a secret that was written into a plan', () => {
  const forms = [
    'hunter2',
    "'${env:hunter2'",
    '{ env: hunter2 }',
    '[hunter2]',
    '4711',
    '"hunter2',
    'hunter2: x',
    '&hunter2 x',
    '!hunter2 x',
    '$hunter2',
    '`hunter2',
  ];
  test.each(forms)('is refused and never shown: %s', (form) => {
    const problems = problemsOf(ordersWith([`\${file:/etc/lifeboat/orders.password}`, form]));
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.join('\n')).not.toMatch(/hunter2|4711/);
  });

  test('is told how to be named', () => {
    expect(problemsOf(ordersWith([`\${file:/etc/lifeboat/orders.password}`, 'hunter2']))).toEqual([
      `orders.yaml:24:15 database.frontDoor.password: a secret is only named here, never written: write \${env:NAME} or \${file:/path}`,
    ]);
  });
});
