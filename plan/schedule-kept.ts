/** Whether what the plan schedules has happened, and what to do when it has not. Plain functions only. */
import { componentOf, type Entry, type ScheduledName } from './schedule-entries.ts';
import { lastTime, nextTimes } from './schedule-times.ts';

/** A run, as a list of runs tells it. */
export interface SeenRun {
  run: string;
  runbook?: string;
  mode?: string;
  /** Of a backup; of a backup of files the component, where it was only one. */
  type?: string;
  /** `running` while it goes on. */
  outcome?: string;
  startedAt: string;
  endedAt?: string;
}

/** The schedule on the Temporal server. */
export interface OnServer {
  paused: boolean;
  note?: string;
  /** Its times count from here on, ISO 8601. */
  since?: string;
}

export interface KeptAsk {
  service: string;
  entry: Entry;
  /** Of the service, in any order; those of other kinds are left out here. */
  runs: readonly SeenRun[];
  /** `undefined` where the server could not be asked. */
  onServer: OnServer | 'missing' | undefined;
  /** How late a scheduled run may begin: schedules.startWithin, milliseconds. */
  startWithinMs: number;
  now: Date;
}

export interface Trouble {
  kind: 'missed' | 'failed' | 'stuck' | 'paused' | 'not-scheduled';
  /** What is wrong, and what to do about it. */
  message: string;
}

export interface Kept {
  name: ScheduledName;
  words: string;
  /** Its newest time, and its next, by the plan's own calendar. */
  due: string;
  next: string;
  /** `new`: its first time is still to come. `due`: it may still begin. */
  state: 'kept' | 'running' | 'due' | 'new' | 'failed' | 'missed';
  /** The run that the state speaks of. */
  run?: string;
  /** More than one thing can be wrong. */
  troubles: Trouble[];
}

/** A scheduled run begins up to a minute after its time (jitter), and is listed a moment later. */
const listedWithinMs = 2 * 60 * 1000;
/** What is still going on after this will hardly end by itself. */
const longestMs = 24 * 60 * 60 * 1000;

export function kept(ask: KeptAsk): Kept {
  const { entry, onServer, now } = ask;
  const due = lastTime(entry.schedule, now);
  const found = stateOf(ask, due);
  const answer: Kept = {
    name: entry.name,
    words: entry.words,
    due: due.toISOString(),
    next: nextTimes(entry.schedule, now, 1)[0]?.toISOString() ?? '',
    state: found.state,
    ...(found.run === undefined ? {} : { run: found.run.run }),
    troubles: [],
  };
  if (onServer === 'missing') answer.troubles.push(notScheduled(ask, answer));
  else if (onServer?.paused) answer.troubles.push(paused(ask, answer, onServer));
  else answer.troubles.push(...came(ask, answer, found.run));
  return answer;
}

/** Everything that is wrong with the schedules of a service; the same thing once. */
export function troublesOf(service: string, all: readonly Kept[]): Trouble[] {
  const troubles = all.flatMap((one) => one.troubles);
  if (all.length < 2 || troubles.some(({ kind }) => kind !== 'not-scheduled') || troubles.length < all.length)
    return troubles;
  const message = `Nothing that the plan of ${service} schedules is on the Temporal server: lifeboat schedules apply`;
  return [{ kind: 'not-scheduled', message }];
}

interface Found {
  state: Kept['state'];
  run?: SeenRun;
}

function stateOf({ entry, runs, onServer, startWithinMs, now }: KeptAsk, due: Date): Found {
  const counting = runs.filter((run) => counts(entry.name, run));
  const since = typeof onServer === 'object' && onServer.since !== undefined ? Date.parse(onServer.since) : undefined;
  const good = newest(counting.filter((run) => isGood(run) && endOf(run) >= due.getTime()));
  if (good !== undefined) return { state: 'kept', run: good };
  const running = newest(counting.filter((run) => run.outcome === 'running'));
  if (running !== undefined) return { state: 'running', run: running };
  if (since !== undefined && due.getTime() < since) return { state: 'new' };
  const bad = newest(counting.filter((run) => Date.parse(run.startedAt) >= due.getTime()));
  if (bad !== undefined) return { state: 'failed', run: bad };
  return { state: now.getTime() <= due.getTime() + startWithinMs + listedWithinMs ? 'due' : 'missed' };
}

/** A full backup also does what an incremental one was to do, and every backup notes an anchor. */
function counts(name: ScheduledName, { runbook, mode, type }: SeenRun): boolean {
  if (name === 'monthly-drill') return runbook === 'monthly-drill' && mode === 'drill';
  if (mode !== 'live') return false;
  const component = componentOf(name);
  if (component !== undefined || runbook === 'file-backup')
    return runbook === 'file-backup' && component !== undefined && (type === undefined || type === component);
  if (runbook === 'anchor') return name === 'anchor';
  if (runbook !== 'backup') return false;
  if (name === 'full-backup') return type === 'full';
  return name === 'differential-backup' ? type === 'full' || type === 'differential' : true;
}

function isGood({ outcome }: SeenRun): boolean {
  return outcome === 'proven' || outcome === 'completed';
}

function endOf(run: SeenRun): number {
  return Date.parse(run.endedAt ?? run.startedAt);
}

function newest(runs: SeenRun[]): SeenRun | undefined {
  return runs.reduce<SeenRun | undefined>(
    (best, run) => (best === undefined || endOf(run) > endOf(best) ? run : best),
    undefined,
  );
}

function notScheduled({ service, entry }: KeptAsk, { state, due, next }: Kept): Trouble {
  const missed = state === 'missed' ? `, the one of ${minutes(due)} did not run` : '';
  return {
    kind: 'not-scheduled',
    message: `No schedule on the Temporal server starts ${spoken(entry.name)} of ${service} (next due ${minutes(next)}${missed}): lifeboat schedules apply`,
  };
}

function paused({ service, entry }: KeptAsk, { state, due }: Kept, { note }: OnServer): Trouble {
  const missed = state === 'missed' ? ` The one of ${minutes(due)} did not run.` : '';
  const why = note === undefined || note === '' ? '' : ` ("${note}")`;
  return {
    kind: 'paused',
    message: `${startingLarge(spoken(entry.name))} is paused${why}.${missed} lifeboat schedules resume ${service}/${entry.name}`,
  };
}

function came({ service, entry, now }: KeptAsk, { state, due }: Kept, run: SeenRun | undefined): Trouble[] {
  const what = startingLarge(spoken(entry.name));
  if (state === 'missed')
    return [
      {
        kind: 'missed',
        message: `${what} of ${minutes(due)} did not run: ${command(service, entry.name)}. What its schedule did: lifeboat schedules list`,
      },
    ];
  if (state === 'failed' && run !== undefined)
    return [
      {
        kind: 'failed',
        message: `${what} of ${minutes(due)} came to nothing: ${run.run} ended ${run.outcome ?? 'without a result'}. Why: lifeboat report ${run.run}; then: ${command(service, entry.name)}`,
      },
    ];
  if (state === 'running' && run !== undefined && now.getTime() - Date.parse(run.startedAt) > longestMs)
    return [
      {
        kind: 'stuck',
        message: `${run.run} goes on since ${minutes(run.startedAt)}, and ${spoken(entry.name)} of ${minutes(due)} with it: lifeboat watch ${run.run}`,
      },
    ];
  return [];
}

function command(service: string, name: ScheduledName): string {
  if (name === 'monthly-drill') return `lifeboat drill ${service}`;
  if (name === 'anchor') return `lifeboat anchor ${service}`;
  const component = componentOf(name);
  if (component !== undefined)
    return `lifeboat start file-backup ${service} --mode live --input '{"component":"${component}"}'`;
  return `lifeboat backup ${service} --type ${name.replace('-backup', '')}`;
}

/** As it is said: `the monthly drill`. */
function spoken(name: ScheduledName): string {
  const component = componentOf(name);
  if (component !== undefined) return `the file backup of ${component}`;
  return `the ${name.replace('-', ' ')}`;
}

/** `2026-12-05 02:00Z` */
function minutes(at: string): string {
  return `${at.slice(0, 10)} ${at.slice(11, 16)}Z`;
}

function startingLarge(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
