import { describe, expect, test } from 'vitest';
import type { Evidence } from '../../evidence/evidence.ts';
import type { SystemdUnit } from '../../plan/components/systemd.ts';
import type { ApplicationRecoveryInput } from '../../workflows/messages.ts';
import { approved, estateThatAsks, evidenceAtEnd } from './asking.ts';
import type { FakeEstate } from './fake-estate.ts';
import { useRig } from './rig.ts';

const rig = useRig({ locks: ['lifeboat-lock/orders'] });

const unit: SystemdUnit = {
  kind: 'systemd',
  after: [],
  host: 'db2',
  unit: 'orders.service',
  healthy: { url: 'http://127.0.0.1:8080/health', status: 200, within: 60_000 },
  staysUp: 5_000,
  startsWithin: 120_000,
  stopsWithin: 120_000,
  comesBackWithin: 120_000,
};

function estateWithApplication(): FakeEstate {
  const estate = estateThatAsks();
  estate.plan.components = { api: unit };
  return estate;
}

async function recovered(estate: FakeEstate, input: ApplicationRecoveryInput = {}): Promise<Evidence> {
  const handle = await rig.start(estate, 'applicationRecovery', [{ mode: 'live', requestedBy: 'cara', ...input }]);
  return evidenceAtEnd(handle, estate);
}

const changes = (estate: FakeEstate) =>
  estate.calls.filter((name) => /^(start|restart|stop|quiesce|resume)A/.test(name));
const step = (evidence: Evidence, name: string) => evidence.steps.find((one) => one.name === name);

describe('what ails', () => {
  test('a unit that has failed is started, and proven to be healthy', async () => {
    const estate = estateWithApplication();
    estate.kept.runs = 'failed';
    const evidence = await recovered(estate);
    expect(evidence).toMatchObject({ outcome: 'completed', leftBehind: [] });
    expect(evidence.approvals ?? []).toEqual([]);
    expect(changes(estate)).toEqual(['startApplication']);
    expect(step(evidence, 'Bring api back')?.preview).toBe('start orders.service on db2 (orders.service: failed)');
    expect(step(evidence, 'api stays up and is healthy')).toMatchObject({ state: 'done', group: 'validation' });
    expect(evidence.rto.valueMs).toBeDefined();
    // Nobody else brings back what has failed for good.
    expect(estate.calls).not.toContain('applicationComesBack');
  });

  test('one that runs and is not healthy is waited for, and restarted when it does not come back', async () => {
    const estate = estateWithApplication();
    estate.kept.healthy = false;
    const evidence = await recovered(estate);
    expect(evidence.outcome).toBe('completed');
    expect(step(evidence, 'api comes back by itself')?.found).toBe('did not come back');
    expect(changes(estate)).toEqual(['restartApplication']);
  });

  test('one that comes back by itself is left alone', async () => {
    const estate = estateWithApplication();
    estate.kept.healthy = false;
    estate.kept.comesBack = true;
    const evidence = await recovered(estate);
    expect(evidence.outcome).toBe('completed');
    expect(changes(estate)).toEqual([]);
    expect(evidence.phases.find(({ name }) => name === 'application')).toMatchObject({
      note: 'left alone: came back',
    });
  });

  test('what is healthy is left alone, and that is said', async () => {
    const estate = estateWithApplication();
    const evidence = await recovered(estate);
    expect(evidence.outcome).toBe('completed');
    expect(changes(estate)).toEqual([]);
    expect(evidence.phases.find(({ name }) => name === 'application')?.note).toMatch(
      /^left alone: orders\.service: up/,
    );
    expect(evidence.rto).toMatchObject({ how: 'not measured: nothing had to be recovered' });
  });
});

describe('before anything is changed', () => {
  test.each<[string, (estate: FakeEstate) => void, string]>([
    ['there is no such unit', ({ kept }) => (kept.unfit = 'systemd knows no such unit'), 'ApplicationUnfit'],
    ['sudo does not allow it', ({ kept }) => (kept.permitted = false), 'NotPermitted'],
    ['somebody keeps it down on purpose', ({ kept }) => (kept.quiesced = 'quiesced by orders-7'), 'ApplicationUnfit'],
  ])('it is told that %s', async (_why, make, type) => {
    const estate = estateWithApplication();
    estate.kept.runs = 'stopped';
    make(estate);
    const evidence = await recovered(estate);
    expect(evidence).toMatchObject({ outcome: 'failed', failure: { type } });
    expect(changes(estate)).toEqual([]);
  });

  test('it must be known which application is meant', async () => {
    const estate = estateWithApplication();
    estate.plan.components = { api: unit, worker: { ...unit, unit: 'worker.service' } };
    const evidence = await recovered(estate);
    expect(evidence.failure).toMatchObject({
      type: 'InputInvalid',
      message: 'the plan has several applications (api, worker): say which one in "component".',
    });
  });

  test.each([
    ['nothing', 'there is no component "nothing" in the plan. Its applications are api.'],
    ['cache', "cache is a component of kind redis-sentinel, which is no application. The plan's applications are api."],
  ])('a component "%s" is refused', async (component, message) => {
    const estate = estateWithApplication();
    estate.plan.components = {
      api: unit,
      cache: { kind: 'redis-sentinel', after: [], master: 'mymaster', sentinels: [{ host: 'db1', port: 26379 }] },
    } as unknown as FakeEstate['plan']['components'];
    expect((await recovered(estate, { component })).failure).toMatchObject({ type: 'InputInvalid', message });
  });

  test('a plan without an application says what to add', async () => {
    const estate = estateWithApplication();
    delete estate.plan.components;
    expect((await recovered(estate)).failure).toMatchObject({ type: 'PlanInvalid' });
  });
});

describe('what is asked for', () => {
  test('a healthy application is restarted', async () => {
    const estate = estateWithApplication();
    const evidence = await recovered(estate, { action: 'restart' });
    expect(evidence.outcome).toBe('completed');
    expect(changes(estate)).toEqual(['restartApplication']);
    expect(estate.kept.start).toBe(2);
  });

  test('to start what runs changes nothing', async () => {
    const estate = estateWithApplication();
    expect(await recovered(estate, { action: 'start' })).toMatchObject({ outcome: 'completed' });
    expect(changes(estate)).toEqual([]);
  });

  test('it is kept from running', async () => {
    const estate = estateWithApplication();
    const quiet = await recovered(estate, { action: 'quiesce' });
    expect(quiet.outcome).toBe('completed');
    expect(estate.kept).toMatchObject({ runs: 'stopped', quiesced: expect.stringContaining(quiet.run) });
    expect(step(quiet, 'api is quiet')?.state).toBe('done');
  });

  test('it is let run again', async () => {
    const estate = estateWithApplication();
    Object.assign(estate.kept, { runs: 'stopped', quiesced: 'quiesced by orders-7' });
    expect(await recovered(estate, { action: 'resume' })).toMatchObject({ outcome: 'completed' });
    expect(estate.kept).toMatchObject({ runs: 'up', quiesced: undefined });
  });

  test('what is kept from running already stays as it is', async () => {
    const estate = estateWithApplication();
    Object.assign(estate.kept, { runs: 'stopped', quiesced: 'quiesced by orders-7' });
    expect(await recovered(estate, { action: 'quiesce' })).toMatchObject({ outcome: 'completed' });
    expect(changes(estate)).toEqual([]);
  });

  test.each(['start', 'restart'] as const)('to %s what is kept down on purpose is refused', async (action) => {
    const estate = estateWithApplication();
    Object.assign(estate.kept, { runs: 'stopped', quiesced: 'quiesced by orders-7' });
    expect((await recovered(estate, { action })).failure).toMatchObject({
      type: 'ApplicationUnfit',
      message: expect.stringContaining('"action": "resume"'),
    });
    expect(changes(estate)).toEqual([]);
  });
});

describe('when it does not work', () => {
  test('a start that does not help is taken back: it was down, and is', async () => {
    const estate = estateWithApplication();
    Object.assign(estate.kept, { runs: 'failed', curable: false });
    const evidence = await recovered(estate);
    expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'ApplicationDown' }, leftBehind: [] });
    expect(changes(estate)).toEqual(['startApplication', 'stopApplication']);
  });

  test('a restart that does not help stays as it is, which is said', async () => {
    const estate = estateWithApplication();
    Object.assign(estate.kept, { healthy: false, curable: false });
    const evidence = await recovered(estate, { action: 'restart' });
    expect(evidence).toMatchObject({
      outcome: 'failed',
      notUndone: [{ name: 'Restart api', why: expect.stringContaining('a restart cannot be taken back') }],
    });
  });

  test('one that others have started anew meanwhile is not restarted', async () => {
    const estate = estateWithApplication();
    estate.before = (name) => {
      if (name === 'restartApplication') estate.kept.start = 9;
    };
    expect((await recovered(estate, { action: 'restart' })).failure).toMatchObject({ type: 'Moved' });
  });

  test('a quiesce that fails is taken back', async () => {
    const estate = estateWithApplication();
    estate.before = (name) => {
      if (name === 'applicationIsQuiet') estate.kept.runs = 'up';
    };
    const evidence = await recovered(estate, { action: 'quiesce' });
    expect(evidence).toMatchObject({ outcome: 'failed', leftBehind: [] });
    expect(estate.kept).toMatchObject({ runs: 'up', quiesced: undefined });
  });
});

test('people are asked only where the plan has a rule of that very name', async () => {
  const estate = estateWithApplication();
  estate.kept.runs = 'failed';
  const rules = estate.plan.people?.approvals ?? {};
  const usual = rules.default;
  if (usual === undefined) throw new Error('nobody is asked by default');
  rules['change-the-application'] = usual;
  const handle = await rig.start(estate, 'applicationRecovery', [{ mode: 'live', requestedBy: 'cara' }]);
  await approved(handle);
  const evidence = await evidenceAtEnd(handle, estate);
  expect(evidence.approvals?.[0]).toMatchObject({
    subject: { component: 'api', unit: 'orders.service', host: 'db2', action: 'bring back' },
    outcome: 'approved',
  });
  expect(evidence.outcome).toBe('completed');
});

test.each(['restart', 'quiesce', undefined] as const)('a worker that only reads can show it (%s)', async (action) => {
  const estate = estateWithApplication();
  estate.kept.runs = action === undefined ? 'failed' : 'up';
  const input = action === undefined ? {} : { action };
  const summary = await rig.run(estate, 'applicationRecovery', [input], { readOnly: true });
  expect(summary).toMatchObject({ outcome: 'previewed' });
  expect(changes(estate)).toEqual([]);
});

describe('as a part of a whole service', () => {
  const brought = async (estate: FakeEstate): Promise<Evidence> =>
    evidenceAtEnd(await rig.start(estate, 'bringing', [{ mode: 'live' }]), estate);

  test('it is started, and proven where it was started', async () => {
    const estate = estateWithApplication();
    estate.kept.runs = 'failed';
    const evidence = await brought(estate);
    expect(evidence.outcome).toBe('completed');
    expect(changes(estate)).toEqual(['startApplication']);
    expect(step(evidence, 'api stays up and is healthy')).toMatchObject({ state: 'done', group: 'application' });
  });

  test('what was kept from running is let run again: its data are there', async () => {
    const estate = estateWithApplication();
    Object.assign(estate.kept, { runs: 'stopped', quiesced: 'quiesced by orders-7' });
    expect(await brought(estate)).toMatchObject({ outcome: 'completed' });
    expect(estate.kept).toMatchObject({ runs: 'up', quiesced: undefined });
  });

  test('when it does not stand, it is kept from running as before', async () => {
    const estate = estateWithApplication();
    Object.assign(estate.kept, { runs: 'stopped', quiesced: 'quiesced by orders-7', curable: false });
    const evidence = await brought(estate);
    expect(evidence).toMatchObject({ outcome: 'failed', leftBehind: [] });
    expect(estate.kept).toMatchObject({ runs: 'stopped', quiesced: expect.stringContaining(evidence.run) });
  });

  test('what came back before its turn is left alone', async () => {
    const estate = estateWithApplication();
    estate.kept.runs = 'failed';
    let looks = 0;
    estate.before = (name) => {
      if (name !== 'applicationState') return;
      looks += 1;
      if (looks > 1) estate.kept.runs = 'up';
    };
    const evidence = await brought(estate);
    expect(evidence.outcome).toBe('completed');
    expect(step(evidence, 'Bring api back')?.preview).toMatch(/^leave alone orders\.service on db2/);
    expect(changes(estate)).toEqual([]);
  });
});
