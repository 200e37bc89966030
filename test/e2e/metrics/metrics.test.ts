/** Metrics of a real estate: what they say is what the evidence says, and what an observer sees; promtool reads them. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, expect, test } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import type { Estate } from '../../../lab/estate.ts';
import { needParts } from '../../../parts/parts.ts';
import { Metrics } from '../../../workers/metrics/metrics.ts';
import { readPulseLog } from '../drill/independent.ts';
import { backup, drill, start, until, useEstate } from '../drill/scenario.ts';
import { ask } from '../observer.ts';

const scenario = useEstate({ load: { ordersPerSecond: 10 } });
type Worker = keyof Estate['metricsUrls'];
const workers: Worker[] = ['control', 'host-db1', 'host-db2', 'pulse', 'pages'];
let promtool: string;

beforeAll(async () => {
  promtool = (await needParts(['promtool'], (line) => console.log(line))).promtool.path;
}, 300_000);

async function text(worker: Worker): Promise<string> {
  const answer = await fetch(scenario().estate.metricsUrls[worker]);
  if (answer.status !== 200) throw new Error(`${worker}: ${answer.status}`);
  return answer.text();
}

/** The value of the one sample whose name and labels begin so. */
async function value(worker: Worker, beginning: string): Promise<number | undefined> {
  const found = (await text(worker)).split('\n').filter((line) => line.startsWith(beginning));
  expect(found.length, `samples of ${beginning}: ${found.join(' ')}`).toBeLessThanOrEqual(1);
  return found[0] === undefined ? undefined : Number(found[0].split(' ').at(-1));
}

/** Polls until a worker shows what is wanted. */
const shown = (
  worker: Worker,
  beginning: string,
  wanted: (value: number | undefined) => boolean,
  withinMs: number | undefined = undefined,
) =>
  until(
    `${worker} shows ${beginning}`,
    async () => {
      const seen = await value(worker, beginning);
      return wanted(seen) ? { seen } : undefined;
    },
    withinMs,
  );

/** A repository is looked at for a twentieth of the time at most: on a busy machine, where a look lasts seconds, the next is minutes away. */
const nextLookMs = 300_000;

const there = (seen: number | undefined) => seen !== undefined;

test('a real drill is told as its evidence tells it, by a worker that has just been started too', async () => {
  await backup(scenario());
  // A drill can be over before anybody looks: this one waits for its store until it was seen.
  const { faults } = scenario().estate;
  await faults.add({ method: 'GET', path: '/pgbackrest/backup/', fault: { kind: 'status', status: 503 } });
  const handle = await start(scenario(), 'monthlyDrill', {});
  await shown(
    'control',
    'lifeboat_runs_in_progress{service="orders",runbook="monthly-drill",mode="drill"}',
    (n) => n === 1,
  );
  await faults.clear();
  const begun = (await handle.describe()).startTime.getTime() / 1000;
  expect(await value('control', 'lifeboat_run_start_timestamp_seconds{service="orders",runbook="monthly-drill"')).toBe(
    begun,
  );
  await handle.result();
  const evidence = await handle.query<Evidence>('evidence');
  const told = async () => {
    await shown('control', 'lifeboat_last_proven_drill_timestamp_seconds{service="orders"}', there);
    await shown('control', 'lifeboat_runs_in_progress{service="orders",runbook="",mode=""}', (n) => n === 0);
    return {
      at: await value('control', 'lifeboat_last_proven_drill_timestamp_seconds{service="orders"}'),
      rto: await value('control', 'lifeboat_last_proven_drill_rto_seconds{service="orders"}'),
      rpo: await value('control', 'lifeboat_last_proven_drill_rpo_seconds{service="orders"}'),
      rtoObjective: await value('control', 'lifeboat_objective_rto_seconds{service="orders",runbook="monthly-drill"}'),
      rpoObjective: await value('control', 'lifeboat_objective_rpo_seconds{service="orders",data_class=""}'),
    };
  };
  const expected = {
    at: Date.parse(evidence.endedAt ?? '') / 1000,
    rto: (evidence.rto.valueMs ?? Number.NaN) / 1000,
    rpo: (evidence.rpo.valueMs ?? Number.NaN) / 1000,
    rtoObjective: evidence.objectives.rtoMs / 1000,
    rpoObjective: evidence.objectives.rpoMs / 1000,
  };
  expect(evidence.outcome).toBe('proven');
  expect(await text('host-db2')).toMatch(/^temporal_activity_execution_latency_seconds_count\{.*restoreBeside/m);
  expect(await told()).toEqual(expected);
  await scenario().estate.process('control').kill('SIGKILL');
  await scenario().estate.process('control').start();
  expect(await told()).toEqual(expected);
});

test('a drill that fails is told by its type, and takes nothing away from the proven one', async () => {
  const proven = await value('control', 'lifeboat_last_proven_drill_timestamp_seconds{service="orders"}');
  const evidence = await drill(scenario(), { target: '2020-01-01T00:00:00Z' });
  expect(evidence.outcome).toBe('not-proven');
  const type = evidence.failure?.type;
  const { seen } = await shown(
    'control',
    `lifeboat_last_failure_timestamp_seconds{service="orders",runbook="monthly-drill",type="${type}"}`,
    there,
  );
  expect(seen).toBe(Date.parse(evidence.endedAt ?? '') / 1000);
  expect(await value('control', 'lifeboat_last_proven_drill_timestamp_seconds{service="orders"}')).toBe(proven);
});

test('window, backup and lag are those of the real archive, read by one host alone', async () => {
  const { estate } = scenario();
  await shown('host-db2', 'lifeboat_archive_lag_seconds{service="orders"}', there, nextLookMs);
  expect(await text('host-db1')).not.toMatch(/^lifeboat_archive_lag_seconds/m);
  const stopped = await value('host-db2', 'lifeboat_last_backup_timestamp_seconds{service="orders",type="full"}');
  const stanza = JSON.parse(
    (
      await execa(
        estate.site.programs.pgbackrest,
        [`--config=${estate.site.layout.host('db1').backupConfiguration}`, 'info', '--output=json'],
        estate.site.account.ids ?? {},
      )
    ).stdout,
  )[0];
  expect(stopped).toBe(stanza.backup.at(-1).timestamp.stop);
  expect(await value('host-db2', 'lifeboat_recovery_window_start_timestamp_seconds{service="orders"}')).toBe(
    stanza.backup[0].timestamp.stop,
  );
  const primary = { host: estate.servers.db1.socket, port: estate.servers.db1.port };
  // Without the archive, commits go on and the window stays: the lag is what would be lost.
  await ask(primary, "alter system set archive_command = '/bin/false'");
  await ask(primary, 'select pg_reload_conf()');
  const { seen: lag = 0 } = await shown(
    'host-db2',
    'lifeboat_archive_lag_seconds{service="orders"}',
    (s) => (s ?? 0) > 10,
  );
  const end = (await value('host-db2', 'lifeboat_recovery_window_end_timestamp_seconds{service="orders"}')) ?? 0;
  const [clock] = await ask<{ now: string }>(primary, 'select extract(epoch from clock_timestamp()) as now');
  expect(Number(clock?.now) - end).toBeGreaterThanOrEqual(lag);
  const newer = (await readPulseLog(estate)).filter((pulse) => Date.parse(pulse.at) / 1000 > end);
  expect(newer.length).toBeGreaterThan(5);
  await ask(primary, 'alter system reset archive_command');
  await ask(primary, 'select pg_reload_conf()');
  const failedAt = new Date(end * 1_000).toISOString();
  await until('the archive takes segments again', async () => {
    const [row] = await ask<{ again: boolean }>(
      primary,
      `select last_archived_time > greatest(last_failed_time, '${failedAt}') as again from pg_stat_archiver`,
    );
    return row?.again ? true : undefined;
  });
  // A host worker looks at once when it is started: when the next look of this one would be, depends on how busy the machine is.
  await estate.process('host-db2').kill('SIGKILL');
  await estate.process('host-db2').start();
  await shown(
    'host-db2',
    'lifeboat_recovery_window_end_timestamp_seconds{service="orders"}',
    (at) => (at ?? 0) > end,
    nextLookMs,
  );
}, 720_000);

test('the pulse tells its newest write, grows old when writes stop, and knows its age after a restart', async () => {
  const { estate } = scenario();
  const newest = async () => Date.parse((await readPulseLog(estate)).at(-1)?.at ?? '') / 1000;
  const at = (await value('pulse', 'lifeboat_pulse_acknowledged_timestamp_seconds{service="orders"}')) ?? 0;
  expect((await readPulseLog(estate)).map((pulse) => Date.parse(pulse.at) / 1000)).toContain(at);
  await estate.process('front-door').kill('SIGSTOP');
  await shown('pulse', 'lifeboat_pulse_age_seconds{service="orders"}', (age) => (age ?? 0) > 4);
  await estate.process('pulse').kill('SIGKILL');
  const last = await newest();
  await estate.process('pulse').start();
  expect(await value('pulse', 'lifeboat_pulse_acknowledged_timestamp_seconds{service="orders"}')).toBe(last);
  expect(await value('pulse', 'lifeboat_pulse_age_seconds{service="orders"}')).toBeGreaterThan(4);
  expect(await value('pulse', 'lifeboat_pulses_total{service="orders",result="failed"}')).toBeGreaterThan(0);
  await estate.process('front-door').kill('SIGCONT');
  await shown('pulse', 'lifeboat_pulse_age_seconds{service="orders"}', (age) => (age ?? 99) < 3);
});

test('promtool finds nothing to complain of in what any worker serves', async () => {
  for (const worker of workers) {
    const served = await text(worker);
    expect(served).toMatch(/^lifeboat_worker_info\{/m);
    expect(served).toMatch(/^process_resident_memory_bytes /m);
    const { all } = await execa(promtool, ['check', 'metrics'], { input: served, all: true, reject: false });
    expect({ worker, all }).toEqual({ worker, all: '' });
  }
});

test('everything that workers serve is on the page, and is served by the workers that the page names', async () => {
  const page = await readFile('docs/metrics.md', 'utf8');
  const listed = [...page.matchAll(/^\| `(lifeboat_\w+)` \|[^|]*\| ([^|]+) \|/gm)].map(
    ([, name, of]) => `${name} ${of}`,
  );
  const byKind = { control: 'control', 'host-db2': 'host', pulse: 'pulse', pages: 'pages' } as const;
  const served = new Map<string, string[]>();
  for (const [worker, kind] of Object.entries(byKind) as [Worker, string][])
    for (const [, name = ''] of (await text(worker)).matchAll(/^# TYPE (lifeboat_\w+) /gm))
      served.set(name, [...(served.get(name) ?? []), kind]);
  // An estate without people has no gateway.
  for (const [, name = ''] of (await new Metrics('slack').text()).matchAll(/^# TYPE (lifeboat_\w+) /gm))
    served.set(name, [...(served.get(name) ?? []), 'slack']);
  expect([...served].map(([name, of]) => `${name} ${of.join(', ')}`).sort()).toEqual(listed.sort());
});

test('the rules and the scrape configuration are sound, and each rule fires when it should', async () => {
  const folder = 'deploy/prometheus';
  const run = (words: string[]) => execa(promtool, words, { cwd: folder, all: true, reject: false });
  const files = await readdir(folder);
  expect(files).toContain('lifeboat.rules.yml');
  for (const words of [
    ['check', 'rules', 'lifeboat.rules.yml'],
    ['check', 'config', 'prometheus.example.yml'],
    ['test', 'rules', 'lifeboat.rules.test.yml'],
  ]) {
    const { exitCode, all } = await run(words);
    expect({ words, exitCode, all }).toMatchObject({ words, exitCode: 0, all: expect.stringContaining('SUCCESS') });
  }
  const rules = await readFile(join(folder, 'lifeboat.rules.yml'), 'utf8');
  const tests = await readFile(join(folder, 'lifeboat.rules.test.yml'), 'utf8');
  for (const [, alert = ''] of rules.matchAll(/- alert: (\w+)/g)) expect(tests).toContain(`alertname: ${alert}\n`);
});

test('rules and documentation speak only of metrics that exist', async () => {
  const listed = new Set(
    (await readFile('docs/metrics.md', 'utf8')).match(/^\| `lifeboat_\w+/gm)?.map((one) => one.slice(3)),
  );
  const rules = await readFile('deploy/prometheus/lifeboat.rules.yml', 'utf8');
  const named = new Set(rules.match(/lifeboat_\w+/g));
  expect([...named].filter((name) => !listed.has(name))).toEqual([]);
});

test.each(['9464', '127.0.0.1:99999', 'TAKEN'])(
  'a worker told to serve at %s ends at once, and says why',
  async (given) => {
    const { estate } = scenario();
    const taken = given === 'TAKEN';
    const address = taken ? `127.0.0.1:${estate.ports.metricsPages}` : given;
    for (const worker of ['control', 'pulse', 'pages']) {
      const { exitCode, stdout } = await execa(process.execPath, [`dist/workers/${worker}.js`], {
        env: { ...estate.env, LIFEBOAT_METRICS: address, LIFEBOAT_PAGES_PORT: '0' },
        reject: false,
        timeout: 30_000,
      });
      expect(exitCode).toBe(1);
      const last = stdout.trim().split('\n').at(-1) ?? '';
      expect(JSON.parse(last).msg).toMatch(
        taken ? /LIFEBOAT_METRICS .* cannot be listened on: .*EADDRINUSE/ : /LIFEBOAT_METRICS is/,
      );
    }
  },
);
