import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { allSecretNames, cacheSecretNames } from '../../../plan/hosts.ts';
import { loadPlanText } from '../../../plan/load.ts';
import { ordersWith, problemsOf } from './orders.ts';

const plan = ordersWith();
/** Its first line is the first of the whole. */
const lines = plan.split('\n').length - 1;
const cache = `components:
  sessions:
    kind: redis-sentinel
    master: mymaster
    sentinels: [{ host: 10.0.0.1 }, { host: 10.0.0.2 }, { host: 10.0.0.3, port: 26380 }]
    members:
      - host: db1
        dataDirectory: /var/lib/redis
        control: { start: [systemctl, start, redis], stop: [systemctl, stop, redis] }
      - host: db2
        port: 6380
        dataDirectory: /var/lib/redis
        control: { start: [systemctl, start, redis], stop: [systemctl, stop, redis] }
    user: lifeboat
    password: \${file:/etc/lifeboat/redis}
    sentinelPassword: \${env:SENTINEL}
    restoreFrom: /var/backups/redis/dump.rdb
    warm: { host: db1, command: [/usr/local/bin/warm], rate: 500, hitRatio: 0.8 }
`;

/** Lines are counted from the one that says `components:`. */
function wrong(from: string, to: string): string[] {
  if (!cache.includes(from)) throw new Error(`the component has no "${from}"`);
  return problemsOf(plan + cache.replace(from, () => to)).map((problem) =>
    problem.replace(/^orders\.yaml:(\d+)/, (_, line) => `${Number(line) - lines}`),
  );
}

describe('a cache that is right', () => {
  test('is read, and what is not said has a usual value', () => {
    const { sessions } = loadPlanText(plan + cache, 'x').plan.components ?? {};
    expect(sessions).toMatchObject({
      sentinels: [{ port: 26379 }, { port: 26379 }, { port: 26380 }],
      members: [{ port: 6379, config: '/etc/redis/redis.conf' }, { port: 6380 }],
      healthyWithin: 120_000,
      warm: { within: 600_000, watch: 60_000 },
      after: [],
    });
  });

  test('names its secrets among those of the plan', () => {
    const loaded = loadPlanText(plan + cache, 'x').plan;
    expect(allSecretNames(loaded)).toEqual(expect.arrayContaining(['${file:/etc/lifeboat/redis}', '${env:SENTINEL}']));
    const { sessions } = loaded.components ?? {};
    expect(sessions?.kind === 'redis-sentinel' && cacheSecretNames(sessions)).toEqual([
      '${file:/etc/lifeboat/redis}',
      '${env:SENTINEL}',
    ]);
  });

  test('is the one that the page about it shows', async () => {
    const page = await readFile('docs/cache-recovery.md', 'utf8');
    const [shown = ''] = [...page.matchAll(/```yaml\n(components:.*?)```/gs)].map(([, text = '']) => text);
    expect(loadPlanText(plan + shown, 'x').plan.components).toMatchObject({ sessions: { kind: 'redis-sentinel' } });
  });
});

describe('a cache that is wrong is refused where it is', () => {
  test.each([
    ['- host: db1', '- host: db3', '7:15', 'host "db3" is in no site: did you mean "db1"?'],
    ['- host: db1', '- host: dbb1', '7:15', 'did you mean "db1"?'],
    ['warm: { host: db1', 'warm: { host: db9', '18:19', 'host "db9" is in no site'],
    ['{ host: 10.0.0.2 }', '{ host: 10.0.0.1 }', '5:37', 'would count twice'],
    ['- host: db2\n        port: 6380', '- host: db1\n        port: 6379', '10:9', 'this host and port already'],
    ['- host: db2', '- host: db1', '12:24', 'this directory already'],
    ['    password: ${file:/etc/lifeboat/redis}\n', '', '14:5', 'write password'],
    ['/var/backups/redis/dump.rdb', '/var/lib/redis/dump.rdb', '17:18', 'sets aside'],
    [
      '        control: { start: [systemctl, start, redis], stop: [systemctl, stop, redis] }\n      - host: db2',
      '      - host: db2',
      '7:9',
      'write control: { start, stop }',
    ],
    ['hitRatio: 0.8', 'hitRatio: 80', '18:77', 'a ratio is at most 1'],
    ['rate: 500', 'rate: 0', '18:62', 'at least 1'],
    ['${env:SENTINEL}', 'hunter2', '16:23', 'never written'],
    ['mymaster', '"my master"', '4:13', 'mymaster'],
  ])('%j instead of %j', (from, to, where, words) => {
    const problems = wrong(from, to);
    expect(problems).toContainEqual(expect.stringMatching(new RegExp(`^${where} `)));
    expect(problems.find((one) => one.startsWith(`${where} `))).toContain(words);
    expect(problems.join()).not.toContain('hunter2');
  });
});
