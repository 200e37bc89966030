/** What people are told of a run while it goes on. Slack is a fake that notes what it was asked; hours pass in milliseconds. */
import { expect, test } from 'vitest';
import type { Posted } from '../../activities/contract.ts';
import { failure } from '../../activities/failure.ts';
import type { EarlierRun } from '../../evidence/forecast.ts';
import { bySchedule } from '../../workflows/messages.ts';
import { FakeEstate } from './fake-estate.ts';
import { useRig } from './rig.ts';
import { estateWithPeople, signedBy, started, Talk } from './talk.ts';
import { ToldEstate } from './told-estate.ts';

const rig = useRig({ eachAlone: true });
const minute = 60_000;
const hour = 60 * minute;

test('a drill is told from its beginning to its end, phase by phase, in one thread', async () => {
  const estate = new ToldEstate();
  await rig.run(estate, 'monthlyDrill', [{}]);
  const phases = ['assessment', 'database', 'application', 'validation', 'traffic'].map((name) => `phase/${name}`);
  expect(estate.ids).toEqual(['start', ...phases, 'end']);
  expect(estate.asked[0]?.message.headline).toContain('DRILL');
  expect(estate.asked.at(-1)?.message.headline).toBe('PROVEN: orders can be recovered');
  expect(new Set(estate.asked.slice(1).map((ask) => ask.thread?.ts))).toEqual(new Set(['1.0']));
  const [evidence] = estate.written;
  expect(evidence?.posts?.map(({ key, delivered }) => [key, delivered])).toEqual(estate.ids.map((id) => [id, 'slack']));
  expect(evidence?.thread).toEqual({ channel: 'C01', ts: '1.0' });
  expect(evidence?.forecast).toBeUndefined();
});

test('a plan without people tells nobody', async () => {
  const estate = new FakeEstate();
  await rig.run(estate, 'monthlyDrill', [{}]);
  expect(estate.calls).not.toContain('post');
});

test('a plan that names no place where people are told tells nobody', async () => {
  const estate = new ToldEstate();
  estate.plan.people = estateWithPeople().plan.people;
  await rig.run(estate, 'monthlyDrill', [{}]);
  expect(estate.calls).not.toContain('post');
  expect(estate.written[0]?.posts).toBeUndefined();
});

test('a dry run tells nobody', async () => {
  const estate = new ToldEstate();
  await rig.run(estate, 'monthlyDrill', [{ mode: 'dry-run' }], { readOnly: true });
  expect(estate.calls).not.toContain('post');
});

test('eight hours of waiting are told every half an hour, and the history stays short', async () => {
  // Not at the moment of a status: one that is cancelled as it is told makes the skipping server wait.
  const estate = new ToldEstate({ deadline: 8 * hour + hour / 4, warnBefore: hour });
  const handle = await rig.start(estate, 'crossing', [started]);
  const talk = new Talk(handle);
  expect(await talk.endsWith()).toBe('NotApproved');
  const statuses = estate.asked.filter((ask) => ask.message.kind === 'status');
  expect(statuses).toHaveLength(16);
  expect(statuses.map((ask) => ask.message.id)).toEqual(statuses.map((_, index) => `status/${index + 1}`));
  const [first] = statuses[2]?.message.lines ?? [];
  expect(first).toMatchObject({ label: 'Waiting for', text: expect.stringMatching(/Ana, Ben.* since .*, until /) });
  const about = estate.ids.filter((id) => id.startsWith('approval/'));
  expect(about.map((id) => id.replace('approval/database/cross-the-river', ''))).toEqual(['', '/reminder', '/closed']);
  expect(new Set(estate.ids).size).toBe(estate.ids.length);
  const { events } = await handle.fetchHistory();
  expect(events?.length).toBeLessThan(500);
});

test('an approval shows its buttons for as long as it can be given, and who gave it when it is', async () => {
  const estate = new ToldEstate();
  const talk = new Talk(await rig.start(estate, 'crossing', [started]));
  await talk.approve('ana');
  await talk.approve('ben');
  await talk.endsWith();
  const [asks, closes] = estate.asked.filter((ask) => ask.message.approval !== undefined);
  expect(asks?.message).toMatchObject({ slackIds: { ben: 'U02' }, approval: { quorum: 2 } });
  expect(asks?.message.approval?.closedAt).toBeUndefined();
  const place = estate.written[0]?.posts?.find(({ key }) => key === asks?.message.id)?.place;
  expect(closes).toMatchObject({ closes: place, message: { approval: { outcome: 'approved' } } });
  expect(closes?.message.lines[0]).toEqual({ label: 'Approved by', text: 'Ana, Ben' });
});

test('a question that is asked anew once its facts could be read again is a question of its own, with buttons of its own', async () => {
  const estate = new ToldEstate({ quorum: 1 });
  let looks = 0;
  estate.before = (name) => {
    if (name !== 'serviceMoment') return;
    looks += 1;
    if (looks === 3) throw failure('AssertionsFailed', 'nothing to be seen');
  };
  const talk = new Talk(await rig.start(estate, 'crossing', [started]));
  const first = await talk.asked();
  await talk.approve('ana');
  await talk.decide('ben', 'retry');
  const second = await talk.asked();
  expect(second.id).not.toBe(first.id);
  // Old words to the old question are answered by what became of that one.
  const late = { by: 'ben', approval: first.id, code: first.code, signature: signedBy('ben') };
  expect(await talk.send('approve', late)).toMatchObject({ refused: true, said: expect.stringMatching(/^Too late/) });
  await talk.approve('ben');
  expect(await talk.endsWith()).toBe('no failure');
  const shown = estate.asked.flatMap(({ message, closes }) =>
    message.approval === undefined ? [] : [[message.approval.code, message.approval.outcome, closes?.ts]],
  );
  const place = (id: string) => estate.written[0]?.posts?.find(({ key }) => key === `approval/${id}`)?.place?.ts;
  expect(shown).toEqual([
    [first.code, undefined, undefined],
    [first.code, 'ended', place(first.id)],
    [second.code, undefined, undefined],
    [second.code, 'approved', place(second.id)],
  ]);
  const closing = estate.asked.find(({ message }) => message.id === `approval/${first.id}/closed`);
  expect(closing?.message.headline).not.toContain('the run is ending');
  expect(closing?.message.lines).toContainEqual({ label: 'Why', text: 'nothing to be seen' });
});

test('a question that came up while Slack was away is brought there with its buttons, and told by the webhook once', async () => {
  const estate = new ToldEstate({ deadline: hour });
  const usual = estate.answers;
  const asks = () => estate.asked.filter((ask) => ask.message.id === 'approval/database/cross-the-river');
  estate.answers = (ask) =>
    asks().length < 3 ? { delivered: ask.slackOnly ? 'nowhere' : 'webhook', why: 'Slack: 503', found: '' } : usual(ask);
  const talk = new Talk(await rig.start(estate, 'crossing', [started]));
  expect(await talk.endsWith()).toBe('NotApproved');
  expect(asks().map((ask) => [ask.slackOnly ?? false, ask.mayBeThere])).toEqual([
    [false, false],
    [true, true],
    [true, true],
  ]);
  const posts = estate.written[0]?.posts?.filter(({ key }) => key === 'approval/database/cross-the-river');
  expect(posts).toMatchObject([{ delivered: 'slack', place: { channel: 'C01' } }]);
});

test('a Slack that takes nothing does not hold the drill up, and the evidence says what was tried', async () => {
  const estate = new ToldEstate();
  estate.answers = () => ({
    delivered: 'nowhere',
    why: 'Slack: ECONNREFUSED; webhook: it answered 500',
    found: 'nobody',
  });
  const summary = await rig.run(estate, 'monthlyDrill', [{}]);
  expect(summary.outcome).toBe('proven');
  const posts = estate.written[0]?.posts ?? [];
  expect(posts.map((one) => one.delivered)).toEqual(posts.map(() => 'nowhere'));
  expect(posts.at(-1)).toMatchObject({ key: 'end', why: 'Slack: ECONNREFUSED; webhook: it answered 500' });
  expect(estate.asked.at(-1)?.slackWithinMs).toBeLessThan(estate.asked[0]?.slackWithinMs ?? 0);
});

test('a notifier that breaks does not fail the drill', async () => {
  const estate = new ToldEstate();
  estate.answers = () => {
    throw failure('Bug', 'the notifier broke');
  };
  const summary = await rig.run(estate, 'monthlyDrill', [{}]);
  expect(summary.outcome).toBe('proven');
  expect(estate.written[0]?.posts?.[0]).toMatchObject({ delivered: 'nowhere', why: 'the notifier broke' });
});

test('a message whose worker was killed is tried again under its own name, and counts once', async () => {
  const estate = new ToldEstate();
  const usual = estate.answers;
  estate.answers = (ask) => {
    if (estate.ids.filter((id) => id === ask.message.id).length === 1) throw new Error('the worker was killed');
    return usual(ask);
  };
  await rig.run(estate, 'monthlyDrill', [{}]);
  const keys = estate.written[0]?.posts?.map((one) => one.key) ?? [];
  expect(new Set(keys).size).toBe(keys.length);
  expect(estate.ids).toEqual(keys.flatMap((key) => [key, key]));
});

test('what did not come to Slack is told there once it is back, and not again', async () => {
  const estate = new ToldEstate();
  const usual = estate.answers;
  estate.answers = (ask) =>
    estate.asked.length <= 3
      ? { delivered: 'webhook', why: 'Slack: ECONNREFUSED', found: 'told by the webhook' }
      : { ...(usual(ask) as Posted), ...(ask.missed.length > 0 ? { toldMissed: true as const } : {}) };
  await rig.run(estate, 'monthlyDrill', [{}]);
  const missed = estate.asked.map((ask) => ask.missed.map((one) => one.id));
  expect(missed[3]).toEqual(estate.ids.slice(0, 3));
  expect(missed.slice(4).flat()).toEqual([]);
});

test('Slack is left alone for as long as it has asked', async () => {
  const estate = new ToldEstate();
  const restUntil = '2099-01-01T00:00:00.000Z';
  estate.answers = () => ({ delivered: 'webhook', why: 'Slack: 429', restUntil, found: 'told by the webhook' });
  await rig.run(estate, 'monthlyDrill', [{}]);
  expect(estate.asked.slice(1).map((ask) => ask.restUntil)).toEqual(estate.asked.slice(1).map(() => restUntil));
});

const slow = (ms: number): EarlierRun => ({
  run: 'orders-earlier',
  phases: Object.fromEntries(
    ['assessment', 'database', 'application', 'validation', 'traffic'].map((name) => [name, { ms, movingMs: 0 }]),
  ),
  steps: {},
});

test('that the RTO will be missed is told while something can be done, by what earlier runs took', async () => {
  const estate = new ToldEstate();
  estate.earlier = [slow(2 * hour)];
  await rig.run(estate, 'monthlyDrill', [{}]);
  const warnings = estate.asked.filter((ask) => ask.message.kind === 'warning');
  expect(warnings.map((ask) => ask.message.headline)).toEqual(['Will miss the RTO of 4 h by 4 h']);
  expect(estate.ids.indexOf('warning/late/1')).toBeLessThan(estate.ids.indexOf('phase/application'));
});

test('a run that only waits is warned of when it becomes late, and again when it is much later', async () => {
  const estate = new ToldEstate();
  estate.earlier = [slow(30 * minute)];
  estate.plan.schedules.startWithin = 3 * hour;
  await rig.start(estate, 'lock', [], { workflowId: 'lifeboat-host/db2' });
  const run = await rig.start(estate, 'monthlyDrill', [{ mode: 'drill', requestedBy: bySchedule }]);
  expect(await new Talk(run).endsWith()).toBe('LockHeld');
  const warnings = estate.asked.filter((ask) => ask.message.kind === 'warning').map((ask) => ask.message.headline);
  // Two hours of work are left of four: a little after two hours it is told, not at the next half hour.
  expect(warnings).toEqual([
    expect.stringMatching(/^Will miss the RTO of 4 h by 2 min 2\d s$/),
    expect.stringMatching(/^Will miss the RTO of 4 h by 26 min 2\d s$/),
    expect.stringMatching(/^Will miss the RTO of 4 h by 5\d min/),
  ]);
});
