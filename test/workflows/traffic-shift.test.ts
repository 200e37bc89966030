import type { WorkflowHandle } from '@temporalio/client';
import { expect, test } from 'vitest';
import { failure } from '../../activities/failure.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import { until } from '../../lab/until.ts';
import type { TrafficShiftInput } from '../../workflows/messages.ts';
import { approved, estateThatAsks, evidenceAtEnd } from './asking.ts';
import { FakeEstate } from './fake-estate.ts';
import { visitors } from './fake-visitors.ts';
import { useRig } from './rig.ts';

const rig = useRig({ locks: ['lifeboat-lock/orders'] });

/** Nobody is led to the application, and nobody is asked. */
function closedEstate(): FakeEstate {
  const estate = new FakeEstate();
  estate.plan.visitors = structuredClone(visitors);
  return estate;
}

const begin = (estate: FakeEstate, input: TrafficShiftInput = {}, readOnly = false): Promise<WorkflowHandle> =>
  rig.start(estate, 'trafficShift', [{ mode: 'live', ...input }], { readOnly });

async function run(estate: FakeEstate, input: TrafficShiftInput = {}): Promise<Evidence> {
  return evidenceAtEnd(await begin(estate, input), estate);
}

const changes = ({ steps }: Evidence) =>
  steps.filter(({ kind }) => kind === 'change').map(({ name, state }) => `${name}: ${state}`);

test('visitors come share by share, each watched before the next', async () => {
  const estate = closedEstate();
  const evidence = await run(estate);
  expect(evidence.outcome).toBe('completed');
  expect(estate.visitors.weights).toEqual({ app1: 10, app2: 10, sorry: 0 });
  expect(changes(evidence)).toEqual([
    'Lead 5 % of the visitors to the service: done',
    'Lead 25 % of the visitors to the service: done',
    'Lead all visitors to the service: done',
  ]);
  expect(estate.calls.filter((name) => /Visitors$/.test(name))).toEqual([
    ...['leadVisitors', 'soakVisitors', 'leadVisitors', 'soakVisitors', 'leadVisitors', 'soakVisitors'],
  ]);
  expect(evidence.measurements.map(({ name, value }) => `${name} ${value}`)).toEqual([
    'answers at 5 %, p95 34',
    'answers at 25 %, p95 34',
    'answers at 100 %, p95 34',
  ]);
});

test('a dry run by workers that offer only reads says what would be done, share by share, and changes nothing', async () => {
  const estate = closedEstate();
  const evidence = await evidenceAtEnd(await begin(estate, { mode: 'dry-run' }, true), estate);
  expect(evidence.outcome).toBe('previewed');
  expect(estate.visitors.told).toEqual([]);
  const previews = evidence.steps.flatMap(({ preview }) => preview ?? []);
  expect(previews).toHaveLength(3);
  expect(previews[1]).toMatch(
    /^lead 25 % of the visitors to app1, app2 .* watched for 1 min; back to app1 \d+, app2 \d+, sorry \d+ when/,
  );
  // Back to what the share before it would have left.
  expect(previews[1]).not.toContain('back to app1 0');
});

test('a share that is not served well is taken back at once; the share before it stays, and nothing else is undone', async () => {
  const estate = closedEstate();
  estate.visitors.soaks = (share) => {
    if (share > 20) throw failure('VisitorsFail', '41 of 120 answers failed.');
  };
  const evidence = await run(estate);
  expect(evidence).toMatchObject({
    outcome: 'failed',
    failure: { type: 'VisitorsFail', message: expect.stringMatching(/^41 of 120 answers failed\. Led back: 5 % /) },
  });
  const [five, more, back] = estate.visitors.told;
  expect(back).toBe(five);
  expect(more).not.toBe(five);
  expect(Object.values(estate.visitors.weights).join('/')).toBe(five);
  expect(evidence.notUndone?.map(({ name }) => name)).toEqual(['Lead 5 % of the visitors to the service']);
  expect(evidence.leftBehind).toEqual([]);
});

test('begun again it goes on from the share that stays', async () => {
  const estate = closedEstate();
  estate.visitors.weights = { app1: 13, app2: 0, sorry: 247 };
  expect(changes(await run(estate))).toEqual([
    'Lead 25 % of the visitors to the service: done',
    'Lead all visitors to the service: done',
  ]);
});

test('people decide about a share that was taken back; tried again it is given again', async () => {
  const estate = estateThatAsks();
  estate.plan.visitors = structuredClone(visitors);
  if (estate.plan.people !== undefined)
    estate.plan.people.decisions = { group: 'dba', deadline: 8 * 60 * 60_000, escalate: [] };
  let ill = true;
  estate.visitors.soaks = (share) => {
    if (share > 20 && ill) throw failure('VisitorsFail', 'they fail.');
  };
  const handle = await begin(estate);
  const decision = await until({ what: 'people to be asked', withinMs: 60_000 }, async () =>
    (await handle.query<Evidence>('evidence')).decisions?.find(({ closedAt }) => closedAt === undefined),
  );
  // While they think about it, visitors are where they were served well.
  expect(Object.values(estate.visitors.weights).join('/')).toBe(estate.visitors.told[0]);
  ill = false;
  await handle.signal('decide', { by: 'ana', code: decision.code, action: 'retry', channel: 'automation' });
  expect((await evidenceAtEnd(handle, estate)).outcome).toBe('completed');
  expect(estate.visitors.weights).toEqual({ app1: 10, app2: 10, sorry: 0 });
});

test('whoever else sets a weight between two shares is not overruled', async () => {
  const estate = closedEstate();
  estate.visitors.soaks = (share) => {
    if (share < 20)
      estate.before = (name) => {
        if (name === 'visitorsState') estate.visitors.weights = { app1: 1, app2: 1, sorry: 1 };
      };
  };
  const evidence = await run(estate);
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'Moved' } });
  expect(estate.visitors.weights).toEqual({ app1: 1, app2: 1, sorry: 1 });
});

test('nor is one who does while a share is watched: it is said as left behind', async () => {
  const estate = closedEstate();
  estate.visitors.soaks = (share) => {
    if (share > 20) estate.visitors.weights = { app1: 1, app2: 1, sorry: 1 };
  };
  const evidence = await run(estate);
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'Moved' } });
  expect(estate.visitors.weights).toEqual({ app1: 1, app2: 1, sorry: 1 });
  expect(evidence.leftBehind).toEqual([expect.stringContaining('Lead 25 % of the visitors')]);
});

test('cancelled while a share is watched that comes to its end well, it stays and no other is given', async () => {
  const estate = closedEstate();
  const handle = await begin(estate);
  estate.visitors.soaks = async (share) => {
    if (share < 20) return;
    await handle.cancel();
    // The time-skipping server stumbles over an activity that ends before the run has heard of its cancel.
    await until({ what: 'the run to stop its step', withinMs: 30_000 }, async () => {
      const { events = [] } = await handle.fetchHistory();
      return events?.some((event) => event.activityTaskCancelRequestedEventAttributes) || undefined;
    });
  };
  const evidence = await evidenceAtEnd(handle, estate);
  expect(evidence).toMatchObject({ outcome: 'aborted', leftBehind: [] });
  expect(estate.visitors.told).toHaveLength(2);
  expect(Object.values(estate.visitors.weights).join('/')).toBe(estate.visitors.told[1]);
});

test('away from the service all go at once, unwatched, and who is still there is told', async () => {
  const estate = closedEstate();
  estate.visitors.weights = { app1: 10, app2: 10, sorry: 0 };
  estate.visitors.left = 3;
  const evidence = await run(estate, { to: 0 });
  expect(evidence.outcome).toBe('completed');
  expect(estate.visitors.weights).toEqual({ app1: 0, app2: 0, sorry: 100 });
  expect(estate.calls).not.toContain('soakVisitors');
  expect(evidence.steps.find(({ name }) => name === 'No visitor is left on app1, app2')?.found).toContain('3 left');
});

test('a share below that of the plan is gone to, too', async () => {
  const estate = closedEstate();
  expect(changes(await run(estate, { to: 10 }))).toEqual([
    'Lead 5 % of the visitors to the service: done',
    'Lead 10 % of the visitors to the service: done',
  ]);
});

test('where they are led already, nothing is changed', async () => {
  const estate = closedEstate();
  estate.visitors.weights = { app1: 10, app2: 10, sorry: 0 };
  const evidence = await run(estate);
  expect(evidence.outcome).toBe('completed');
  expect(changes(evidence)).toEqual([]);
});

test.each<[what: string, spoil: (estate: FakeEstate) => unknown, type: string, said: RegExp]>([
  [
    'nobody is up',
    ({ visitors: own }) => Object.assign(own, { down: ['app1', 'app2'] }),
    'VisitorsFail',
    /app1 is down, app2 is down/,
  ],
  [
    'a sorry page passes for healthy',
    ({ visitors: own }) => Object.assign(own, { alike: true }),
    'PlanInvalid',
    /passes for healthy/,
  ],
  ['the plan has no visitors', ({ plan }) => delete plan.visitors, 'PlanInvalid', /Add visitors/],
])('%s: said before anything is changed', async (_what, spoil, type, said) => {
  const estate = closedEstate();
  spoil(estate);
  const evidence = await run(estate);
  expect(evidence.failure).toMatchObject({ type, message: expect.stringMatching(said) });
  expect(estate.visitors.told).toEqual([]);
});

test('the rule of all approvals makes nobody asked', async () => {
  const estate = estateThatAsks();
  estate.plan.visitors = structuredClone(visitors);
  const evidence = await run(estate);
  expect(evidence.outcome).toBe('completed');
  expect(evidence.approvals ?? []).toEqual([]);
});

test('people are asked where the plan has a rule of that name', async () => {
  const estate = estateThatAsks();
  estate.plan.visitors = structuredClone(visitors);
  const { approvals } = estate.plan.people ?? {};
  if (approvals?.default !== undefined) approvals['shift-traffic'] = approvals.default;
  const handle = await begin(estate);
  await approved(handle);
  const evidence = await evidenceAtEnd(handle, estate);
  expect(evidence.outcome).toBe('completed');
  expect(evidence.approvals?.map(({ name, outcome }) => `${name}: ${outcome}`)).toEqual(['Shift traffic: approved']);
});

test.each([101, -1, 2.5, '25'])('%s is no share', async (to) => {
  await expect(begin(closedEstate(), { to: to as number }).then((handle) => handle.result())).rejects.toMatchObject({
    cause: { type: 'InputInvalid', message: expect.stringContaining('a whole number from 0 to 100') },
  });
});
