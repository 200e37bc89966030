/** Schedules of a Temporal server over gRPC. */
import { randomUUID } from 'node:crypto';
import { type Client, ScheduleAlreadyRunning, ScheduleNotFoundError } from '@temporalio/client';
import {
  encodeScheduleAction,
  encodeSchedulePolicies,
  encodeScheduleSpec,
} from '@temporalio/client/lib/schedule-helpers.js';
import { listSchedules, madeByLifeboat } from '../../activities/schedules.ts';
import { scheduleOfId } from '../../plan/schedule-ids.ts';
import { ask } from './ask.ts';
import { Silence } from './engine.ts';
import type { Reached } from './reach.ts';
import type { KnownSchedule, Schedules, WantedSchedule } from './schedule.ts';
import { type Definition, foundDefinition, optionsOf, wantedDefinition } from './schedule-definition.ts';

const answerWithinMs = 10_000;
/** The server takes a change up a moment after it has answered. */
const takenUpWithinMs = 10_000;
const lookAgainMs = 100;

export function temporalSchedules(reached: Reached, client: Client): Schedules {
  const asked = <T>(question: () => Promise<T>): Promise<T> => ask(reached, answerWithinMs, question);
  const handle = (id: string) => client.schedule.getHandle(id);
  return {
    all: () => asked(() => listSchedules(client)),
    read: (id) => read(reached, client, id),
    async create(wanted) {
      try {
        await asked(() => client.schedule.create(optionsOf(wanted, new Date())));
        return true;
      } catch (error) {
        if (error instanceof ScheduleAlreadyRunning) return false;
        throw error;
      }
    },
    async remove(id) {
      await asked(() => handle(id).delete()).catch((error) => {
        if (!(error instanceof ScheduleNotFoundError)) throw error;
      });
    },
    pause: (id, note) => asked(() => handle(id).pause(note)),
    resume: (id, note) => asked(() => handle(id).unpause(note)),
  };
}

type Description = Awaited<ReturnType<ReturnType<Client['schedule']['getHandle']>['describe']>>;

async function describe(reached: Reached, client: Client, id: string): Promise<Description | undefined> {
  try {
    return await ask(reached, answerWithinMs, () => client.schedule.getHandle(id).describe());
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}

async function read(reached: Reached, client: Client, id: string): Promise<KnownSchedule | undefined> {
  const found = await describe(reached, client, id);
  if (found === undefined) return undefined;
  const { state, info, memo, spec } = found;
  const newest = info.recentActions.at(-1);
  return {
    id,
    ours: madeByLifeboat(scheduleOfId(id)?.service ?? '', memo),
    definition: foundDefinition(found),
    paused: state.paused,
    ...(state.note ? { note: state.note } : {}),
    ...(spec.startAt === undefined ? {} : { since: spec.startAt }),
    next: info.nextActionTimes,
    ...(newest === undefined
      ? {}
      : { newest: { run: newest.action.workflow.workflowId, scheduledAt: newest.scheduledAt } }),
    running: info.runningActions.map((one) => one.workflow.workflowId),
    skipped: info.numActionsSkippedOverlap,
    tooLate: info.numActionsMissedCatchupWindow,
    replace: (wanted) => replace(reached, client, found, wanted),
  };
}

/**
 * The server drops a change that carries an old token, and does not say so: what came of it is looked at.
 */
async function replace(
  reached: Reached,
  client: Client,
  before: Description,
  wanted: WantedSchedule,
): Promise<boolean> {
  const goal = wantedDefinition(wanted);
  // What was due before its times were changed is not to be caught up with, nor to be called missed.
  const sameTimes = goal.parts.times === foundDefinition(before).parts.times;
  const since = (sameTimes ? before.spec.startAt : undefined) ?? new Date();
  const { spec, action, policies } = optionsOf(wanted, since);
  const { namespace } = reached;
  await ask(reached, answerWithinMs, async () =>
    client.workflowService.updateSchedule({
      namespace,
      scheduleId: wanted.id,
      schedule: {
        spec: encodeScheduleSpec(spec),
        action: await encodeScheduleAction(client.options.loadedDataConverter, namespace, action, {}),
        policies: encodeSchedulePolicies(policies),
        state: before.raw.schedule?.state ?? null,
      },
      conflictToken: before.raw.conflictToken ?? null,
      identity: client.options.identity,
      requestId: randomUUID(),
    }),
  );
  return takenUp(reached, client, before, goal);
}

async function takenUp(reached: Reached, client: Client, before: Description, goal: Definition): Promise<boolean> {
  const deadline = Date.now() + takenUpWithinMs;
  while (Date.now() < deadline) {
    const now = await describe(reached, client, before.scheduleId);
    if (now === undefined) return false;
    if (same(foundDefinition(now), goal)) return true;
    if (token(now) !== token(before)) return false;
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
  }
  throw new Silence('engine', `Temporal at ${reached.address} has not taken up the change of ${before.scheduleId}`);
}

function same(one: Definition, other: Definition): boolean {
  return Object.entries(other.parts).every(([part, value]) => one.parts[part] === value);
}

function token({ raw }: Description): string {
  return Buffer.from(raw.conflictToken ?? []).toString('hex');
}
