/** What is on the Temporal server against what the plans say; and how the one is made into the other. */
import { fileBackupOf } from '../../plan/schedule-entries.ts';
import { scheduleId } from '../../plan/schedule-ids.ts';
import type { Plan } from '../../plan/schema.ts';
import type { KnownSchedule, Schedules, WantedSchedule } from '../engine/schedule.ts';
import { wantedDefinition } from '../engine/schedule-definition.ts';
import { Problem } from '../problem.ts';
import { wantedSchedules } from './wanted.ts';

export type Change = 'make' | 'change' | 'remove' | 'keep' | 'leave';

export interface Difference {
  id: string;
  service: string;
  name: string;
  /** What would be done about it; `leave`: it is somebody else's, and in the way. */
  change: Change;
  /** Part by part, in words. */
  says: string[];
  wanted?: WantedSchedule;
  known?: KnownSchedule;
}

/** Only of the services whose plans are given: those of others are not looked at. */
export async function differences(schedules: Schedules, plans: readonly Plan[]): Promise<Difference[]> {
  const listed = await schedules.all();
  const all: Difference[] = [];
  for (const plan of plans) {
    const wanted = wantedSchedules(plan);
    for (const one of wanted) all.push(await wantedAgainst(schedules, one));
    const ids = new Set([...listed.filter((one) => one.service === plan.service).map(({ id }) => id), ...ownIds(plan)]);
    for (const id of [...ids].filter((one) => wanted.every((other) => other.id !== one))) {
      const known = await schedules.read(id);
      if (known?.ours) all.push(surplus(plan.service, known));
    }
  }
  return all;
}

/** The list is a second behind: what was made just now is looked for by its name. */
function ownIds({ service, components = {} }: Plan): string[] {
  const ofDatabase = ['full-backup', 'differential-backup', 'incremental-backup', 'anchor'] as const;
  return [...ofDatabase, ...Object.keys(components).map(fileBackupOf)].map((name) => scheduleId(service, name));
}

async function wantedAgainst(schedules: Schedules, wanted: WantedSchedule): Promise<Difference> {
  const { id, service, name, words } = wanted;
  const known = await schedules.read(id);
  const both = { id, service, name, wanted, ...(known === undefined ? {} : { known }) };
  if (known === undefined) return { ...both, change: 'make', says: [words] };
  if (!known.ours)
    return {
      ...both,
      change: 'leave',
      says: [`${id} was not made by Lifeboat, and stays as it is: delete it (temporal schedule delete), then apply`],
    };
  const says = inWords(wanted, known);
  return { ...both, change: says.length === 0 ? 'keep' : 'change', says };
}

function inWords(wanted: WantedSchedule, { definition }: KnownSchedule): string[] {
  const goal = wantedDefinition(wanted);
  return Object.keys(goal.parts).flatMap((part) => {
    if (definition.parts[part] === goal.parts[part]) return [];
    if (part === 'times') return [`times: ${definition.times}; the plan says ${wanted.words}`];
    return [`${part}: ${orNothing(definition.parts[part])}; should be ${orNothing(goal.parts[part])}`];
  });
}

function orNothing(text: string | undefined): string {
  return text === undefined || text === '' ? 'nothing' : text;
}

function surplus(service: string, known: KnownSchedule): Difference {
  const name = known.id.slice(known.id.lastIndexOf('/') + 1);
  return { id: known.id, service, name, change: 'remove', says: [`${known.definition.times}: not in the plan`], known };
}

// Each time, somebody else was faster.
const mostTries = 5;

/** Does what a difference says, and returns what was done: somebody may have done it already. */
export async function apply(schedules: Schedules, difference: Difference): Promise<Difference> {
  const { change, id, wanted } = difference;
  if (change === 'remove') await schedules.remove(id);
  if (wanted === undefined || (change !== 'make' && change !== 'change')) return difference;
  let now = difference;
  for (let tries = 0; tries < mostTries; tries += 1) {
    if (now.change === 'make' && (await schedules.create(wanted))) return now;
    if (now.change === 'change' && (await now.known?.replace(wanted))) return now;
    now = await wantedAgainst(schedules, wanted);
    if (now.change !== 'make' && now.change !== 'change') return now;
  }
  throw new Problem(
    'refused',
    `somebody else keeps changing ${id} at the same time: agree with them, then apply again.`,
  );
}
