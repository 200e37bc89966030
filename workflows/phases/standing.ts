/** How the members of a service and its front door stand, where a run was ended in its middle; and what people do about it. Reads only. */
import { isCancellation } from '@temporalio/workflow';
import type { FailureType } from '../../evidence/failures.ts';
import type { Member, Traffic } from '../../plan/schema.ts';
import { doorOf, doorsOf } from '../../plan/sites.ts';
import { type Standing, type Stands, standingInWords, whatToDo } from '../../recovery/left-standing.ts';
import { hostQueue } from '../messages.ts';
import { failure, failureOf } from '../runbook/failure.ts';
import type { Run } from '../runbook/run.ts';

/** What fails in one of these ways may be what such a run has left. */
const telling: readonly FailureType[] = ['DatabaseUnreachable', 'NotPrimary', 'DoorOpen', 'SplitBrain'];

/** One attempt at each: it is said in a failure, which must not be late for it. */
async function standingOf(run: Run): Promise<Standing> {
  const members = await Promise.all(run.plan.database.members.map((member) => asIt(run, member)));
  const served = await Promise.all(doorsOf(run.plan).map(({ traffic }) => orUndefined(servedBy(run, traffic))));
  const answered = served.filter((one) => one !== undefined);
  const primary = members.find(({ role }) => role === 'primary') ?? members[0];
  const { traffic } = primary === undefined ? run.plan : doorOf(run.plan, primary.host);
  return {
    members,
    leadsTo: answered.length === 0 ? undefined : answered.flat(),
    traffic: { backend: traffic.backend, socket: traffic.socket },
  };
}

async function servedBy(run: Run, traffic: Traffic): Promise<string[]> {
  const { servers } = await run.controlWithin(1).doorState({ traffic });
  return servers.filter(({ serves }) => serves).map(({ server }) => server);
}

async function asIt(run: Run, member: Member): Promise<Stands> {
  const { host, dataDirectory } = member;
  const unknown = { host, dataDirectory, role: 'unknown' as const, start: '' };
  const polled = await orUndefined(run.controlWithin(1).somebodyPolls({ queue: hostQueue(host) }));
  if (polled?.polls !== true) return unknown;
  const found = await orUndefined(run.host(host, 1).howItStands({ member }));
  if (found === undefined) return unknown;
  const { role, standbyOnly, start } = found;
  return { host, dataDirectory, role, standbyOnly, start };
}

async function orUndefined<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return undefined;
  }
}

/** A check that fails says with it how everything stands, and what leads out of it. */
export async function sayingHowItStands<T>(run: Run, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    const { type: seen, message } = failureOf(error);
    const type = telling.find((one) => one === seen);
    if (type === undefined) throw error;
    const standing = await standingOf(run);
    const steps = whatToDo(standing);
    if (steps.length === 0) throw error;
    throw failure(type, `${message} As it stands now: ${standingInWords(standing)}. By hand: ${numbered(steps)}`);
  }
}

/** A front door that leads to nobody is left as it is, and not passed over in silence. */
export async function noteClosedDoor(run: Run): Promise<void> {
  await run.check('The front door leads to a primary', async () => {
    const standing = await standingOf(run);
    if (standing.leadsTo?.length === 0)
      run.record({
        doorClosed: { why: `it leads to nobody: ${standingInWords(standing)}.`, byHand: numbered(whatToDo(standing)) },
      });
    return { found: standingInWords(standing), expected: 'a front door that leads to one primary' };
  });
}

function numbered(steps: string[]): string {
  return steps.length === 1 ? steps.join('') : steps.map((step, index) => `(${index + 1}) ${step}`).join(' ');
}
