/** People answer a live run by the command line: a real Temporal server, real keys, the built program. */
import type { WorkflowHandle } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { failure } from '../../../activities/failure.ts';
import type { Evidence } from '../../../evidence/evidence.ts';
import type { Approval, Decision } from '../../../evidence/people.ts';
import { until } from '../../../lab/until.ts';
import { type Person, useAskingEstate } from './asking-estate.ts';

const estate = useAskingEstate();

afterEach(() => estate().rest());

const workflow = (run: string): WorkflowHandle => estate().server.client.workflow.getHandle(run);

async function evidenceOf(run: string): Promise<Evidence> {
  return workflow(run).query<Evidence>('evidence');
}

/** What Temporal's own history says of messages that the run has taken in: names of updates, in order. */
async function updatesOf(run: string): Promise<string[]> {
  const { events } = await workflow(run).fetchHistory();
  return (events ?? []).flatMap(
    (event) => event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input?.name ?? [],
  );
}

async function started(by: Person): Promise<string> {
  const { stdout, stderr } = await estate().as(by, 'start', 'backup', 'orders', '--mode', 'live', '--detach', '--json');
  if (stdout === '') throw new Error(stderr);
  const { run }: { run: string } = JSON.parse(stdout);
  return run;
}

function asked(run: string, unlike?: string): Promise<Approval> {
  const look = async () => {
    const { approvals = [] } = await evidenceOf(run).catch(() => ({ approvals: [] }) as Pick<Evidence, 'approvals'>);
    return approvals.find(({ outcome, code }) => outcome === undefined && code !== unlike);
  };
  return until({ what: `${run} asks for its approval`, withinMs: 90_000, everyMs: 50 }, look);
}

function failed(run: string): Promise<Decision> {
  const look = async () => (await evidenceOf(run)).decisions?.find(({ closedAt }) => closedAt === undefined);
  return until({ what: `${run} waits for a decision`, withinMs: 90_000, everyMs: 50 }, look);
}

describe('a live run that asks two people', () => {
  beforeEach(() => estate().begin());

  test('goes on after two different keys have signed, and not before', async () => {
    const run = await started('cara');
    const { code } = await asked(run);
    const first = await estate().as('ana', 'approve', run, '--code', code);
    expect(first).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('1 of 2') });
    expect((await workflow(run).describe()).status.name).toBe('RUNNING');
    const again = await estate().as('ana', 'approve', run, '--code', code);
    expect(again.stdout).toContain('already');
    const second = await estate().as('ben', 'approve', run, '--code', code, '--json');
    expect(JSON.parse(second.stdout)).toMatchObject({
      by: 'ben',
      signed: true,
      answer: expect.stringContaining('2 of 2'),
    });
    await workflow(run).result();
    const { approvals, requester } = await evidenceOf(run);
    expect(requester).toMatchObject({ person: 'cara', certain: true });
    expect(approvals?.[0]?.clicks.map(({ by, signed, counted, channel }) => [by, signed, counted, channel])).toEqual([
      ['ana', 'person', true, 'cli'],
      ['ana', 'person', false, 'cli'],
      ['ben', 'person', true, 'cli'],
    ]);
    expect(await updatesOf(run)).toEqual(['approve', 'approve', 'approve']);
  });

  test('counts nobody who is not entitled, whatever is signed, and says why', async () => {
    const run = await started('cara');
    const { code } = await asked(run);
    const refusals: [Promise<{ exitCode?: number; stderr: string }>, string][] = [
      [estate().as('cara', 'approve', run, '--code', code), 'started this run'],
      [estate().as('mallory', 'approve', run, '--code', code), 'dba'],
      [estate().forged('ben', 'mallory', 'approve', run, '--code', code), 'not one of "ben"'],
      [estate().as('nobody', 'approve', run, '--code', code, '--as', 'ben'), 'signed'],
    ];
    for (const [refusal, words] of refusals) {
      const { exitCode, stderr } = await refusal;
      expect(stderr).toContain(words);
      expect(exitCode).toBe(9);
    }
    const { approvals } = await evidenceOf(run);
    expect(approvals?.[0]?.outcome).toBeUndefined();
    expect(approvals?.[0]?.clicks.map(({ signed, counted }) => [signed, counted]).sort()).toEqual([
      ['forged', false],
      ['no', false],
      ['person', false],
      ['person', false],
    ]);
    await workflow(run).terminate();
  });

  test('refuses the code of facts that have changed, and takes the new one', async () => {
    const run = await started('cara');
    const { code: old } = await asked(run);
    estate().fake.primary = 'db2';
    for (const person of ['ana', 'ben'] as const) await estate().as(person, 'approve', run, '--code', old);
    const { code } = await asked(run, old);
    const stale = await estate().as('ana', 'approve', run, '--code', old);
    expect([stale.exitCode, stale.stderr]).toEqual([9, expect.stringContaining('void')]);
    for (const person of ['ana', 'ben'] as const)
      expect((await estate().as(person, 'approve', run, '--code', code)).exitCode).toBe(0);
    await workflow(run).result();
    expect((await evidenceOf(run)).approvals?.map(({ outcome }) => outcome)).toEqual(['void', 'approved']);
  });

  test('is told to have ended once it has, with its outcome', async () => {
    const run = await started('cara');
    const { code } = await asked(run);
    // Without its requester there are only two: one no, and two yes can no longer be had.
    expect(await estate().as('ana', 'reject', run, '--code', code)).toMatchObject({ exitCode: 0 });
    await expect(workflow(run).result()).rejects.toThrow();
    const late = await estate().as('ana', 'approve', run, '--code', code);
    expect([late.exitCode, late.stderr]).toEqual([9, expect.stringContaining('has ended (ABORTED)')]);
    expect(await updatesOf(run)).toEqual(['reject']);
  });

  test('cannot be answered while no worker is there, and counts nothing of it later', async () => {
    const run = await started('cara');
    const { code } = await asked(run);
    await estate().rest();
    const away = await estate().as('ana', 'approve', run, '--code', code);
    expect([away.exitCode, away.stderr]).toEqual([6, expect.stringContaining('nothing was sent')]);
    await estate().work();
    expect((await evidenceOf(run)).approvals?.[0]?.clicks).toEqual([]);
    expect(await updatesOf(run)).toEqual([]);
    await workflow(run).terminate();
  });

  test('shows in status and watch whom it waits for, and what to type', async () => {
    const run = await started('cara');
    const { code } = await asked(run);
    const watching = estate().as('ana', 'watch', run);
    const status = await until({ what: 'status lists the run', withinMs: 90_000, everyMs: 200 }, async () => {
      const { stdout } = await estate().as('ana', 'status');
      return stdout.includes('WAITS') ? stdout : undefined;
    });
    for (const fact of [
      'Switch the primary: 0 of 2 of dba; waits for ana, ben',
      `lifeboat approve ${run} --code ${code}`,
    ])
      expect(status).toContain(fact);
    for (const person of ['ana', 'ben'] as const) await estate().as(person, 'approve', run, '--code', code);
    const { stdout, exitCode } = await watching;
    for (const fact of [`lifeboat approve ${run} --code ${code}`, 'ana approved (signed, by command line', 'COMPLETED'])
      expect(stdout).toContain(fact);
    expect(exitCode).toBe(0);
  });

  test('a failed step is tried again when somebody says so, and what is done is not done twice', async () => {
    estate().fake.before = (activity) => {
      if (activity === 'serviceMoment') throw failure('NotPrimary', 'db1 is not the primary');
    };
    const run = await started('cara');
    const { code } = await asked(run);
    for (const person of ['ana', 'ben'] as const) await estate().as(person, 'approve', run, '--code', code);
    const decision = await failed(run);
    const skip = await estate().as('ana', 'decide', run, 'skip', '--code', decision.code, '--reason', 'never mind');
    expect([skip.exitCode, skip.stderr]).toEqual([9, expect.stringContaining('cannot go on without')]);
    estate().fake.before = () => undefined;
    const retry = await estate().as(
      'ana',
      'decide',
      run,
      'retry',
      '--code',
      decision.code,
      '--reason',
      'it answers again',
    );
    expect(retry.exitCode).toBe(0);
    await workflow(run).result();
    const { decisions } = await evidenceOf(run);
    expect(decisions?.[0]).toMatchObject({ action: 'retry', by: 'ana', reason: 'it answers again' });
  });

  test('an abort does what it has shown, and is refused when that has changed', async () => {
    const run = await started('cara');
    const { code } = await asked(run);
    const shown = await estate().as('ana', 'abort', run);
    expect([shown.exitCode, shown.stdout]).toEqual([10, expect.stringContaining('1. Close the front door')]);
    const plan = await estate().as('ana', 'abort', run, '--json');
    const { abort }: { abort: { code: string } } = JSON.parse(plan.stdout);
    expect((await estate().as('ana', 'abort', run, '--yes', code)).exitCode).toBe(9);
    estate().fake.calls.splice(0);
    const aborted = await estate().as('ana', 'abort', run, '--yes', abort.code, '--reason', 'wrong standby');
    expect(aborted.exitCode).toBe(0);
    await expect(workflow(run).result()).rejects.toThrow();
    expect(estate().fake.calls).toContain('noLiveRun');
    expect(await evidenceOf(run)).toMatchObject({
      outcome: 'aborted',
      aborted: { by: 'ana', reason: 'wrong standby' },
    });
  });
});
