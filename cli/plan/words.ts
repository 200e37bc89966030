/** A plan read aloud: what is promised, what happens when. */
import { formatDate, formatDuration, formatNumberOf } from '../../evidence/format.ts';
import { cadencesInWords, newestBackupWithinMs } from '../../plan/cadence.ts';
import { addresses, allSecretNames } from '../../plan/hosts.ts';
import type { LoadedPlan } from '../../plan/load.ts';
import { scheduleEntries } from '../../plan/schedule-entries.ts';
import { clockChangeProblem, nextTimes } from '../../plan/schedule-times.ts';
import { describe, parseSchedule } from '../../plan/schedule-words.ts';
import type { Plan } from '../../plan/schema.ts';
import { listed } from './listed.ts';
import { peopleInWords, peopleWorthKnowing } from './people.ts';
import { visitorsInWords } from './visitors.ts';

const drillsShown = 3;

export function planInWords({ plan, file, sha256 }: LoadedPlan, now: Date): string {
  const chapters: [title: string, sentences: string[]][] = [
    ['What is promised', promises(plan)],
    ['How long each phase may take', [phases(plan)]],
    ['Where it runs', places(plan)],
    ['What must come back', data(plan)],
    ['How it is backed up', backups(plan)],
    ['When it is drilled', drills(plan, now)],
    ['Who is asked', peopleInWords(plan)],
    ['What is kept', records(plan)],
    ['Secrets', secrets(plan)],
    ['Worth knowing', [...clockChanges(plan, now), ...peopleWorthKnowing(plan)]],
  ];
  const told = chapters.filter(([, sentences]) => sentences.length > 0);
  const body = told.map(([title, sentences]) => [title, ...sentences.map((text) => `  ${text}`)].join('\n'));
  return [`${file} is a valid plan for ${plan.service} (sha256 ${sha256.slice(0, 12)}).`, ...body].join('\n\n');
}

/** UTC, ISO 8601. */
export function nextDrills(plan: Plan, now: Date): string[] {
  const parsed = parseSchedule(plan.drills.monthly.schedule);
  return 'schedule' in parsed ? nextTimes(parsed.schedule, now, drillsShown).map((time) => time.toISOString()) : [];
}

/** One run a year left out, or doubled, is no reason to refuse a plan; nobody should be surprised by it either. */
function clockChanges(plan: Plan, now: Date): string[] {
  return scheduleEntries(plan).flatMap(({ words, schedule }) => {
    const problem = clockChangeProblem(schedule, now);
    return problem === undefined ? [] : [`"${words}": ${problem}.`];
  });
}

function promises({ objectives }: Plan): string[] {
  const { rto, rpo, runbooks = {}, components = {}, dataClasses = {} } = objectives;
  const narrower = [
    ...Object.entries(runbooks).map(([name, promise]) => `The runbook ${name}: ${narrowed(promise)}.`),
    ...Object.entries(components).map(([name, promise]) => `The ${name}: ${narrowed(promise)}.`),
    ...Object.entries(dataClasses).map(
      ([name, promise]) => `Of ${name} (${listed(promise.tables)}): ${narrowed(promise)}.`,
    ),
  ];
  return [
    `After a disaster the service is back within ${formatDuration(rto)}.`,
    `At most the last ${formatDuration(rpo)} of what was written may be lost.`,
    ...narrower,
  ];
}

function told({ quiesce, resume }: Plan['application']): string[] {
  const by = ({ command, host }: NonNullable<typeof quiesce>) => `by ${command.join(' ')} on ${host}`;
  return [
    ...(quiesce === undefined ? [] : [`Before a recovery it stops writing ${by(quiesce)}.`]),
    ...(resume === undefined ? [] : [`After it, it goes on ${by(resume)}.`]),
  ];
}

function narrowed({ rto, rpo }: { rto?: number | undefined; rpo?: number | undefined }): string {
  return [
    ...(rto === undefined ? [] : [`back within ${formatDuration(rto)}`]),
    ...(rpo === undefined ? [] : [`at most the last ${formatDuration(rpo)} lost`]),
  ].join(', ');
}

function phases(plan: Plan): string {
  const budgets = Object.entries(plan.phases);
  const sum = budgets.reduce((total, [, budget]) => total + budget, 0);
  const each = budgets.map(([phase, budget]) => `${phase} ${formatDuration(budget)}`).join(', ');
  return `${each}: together ${formatDuration(sum)} of ${formatDuration(plan.objectives.rto)}.`;
}

function places(plan: Plan): string[] {
  const where = addresses(plan);
  const { frontDoor, members } = plan.database;
  const sites = Object.entries(plan.sites).map(([site, { hosts }]) => {
    const names = Array.isArray(hosts) ? hosts : Object.keys(hosts);
    return `Site ${site} has ${listed(names.map((host) => (where[host] === host ? host : `${host} (${where[host]})`)))}.`;
  });
  return [
    ...sites,
    `Applications reach database ${frontDoor.database} at ${frontDoor.host}:${frontDoor.port}, as ${frontDoor.user}.`,
    `Its servers are ${listed(members.map(({ host, port, dataDirectory }) => `${host}:${port} in ${dataDirectory}`))}.`,
    `HAProxy leads them to the primary (backend ${plan.traffic.backend}).`,
    ...entry(plan),
    ...visitorsInWords(plan),
  ];
}

function entry({ entry }: Plan): string[] {
  if (entry === undefined) return [];
  const { name, type, sites, ttl, movingTtl } = entry;
  const ways = Object.entries(sites).map(([site, value]) => `to ${value} while ${site} serves`);
  const moving = movingTtl === undefined ? '' : `, for ${formatDuration(movingTtl)} in a planned move`;
  return [
    `Clients come by ${name} (${type}): ${ways.join(', ')}.`,
    `A resolver may keep the old answer for ${formatDuration(ttl)}${moving}.`,
  ];
}

function data({ database, application }: Plan): string[] {
  return [
    `Compared row by row: ${listed(database.criticalTables)}.`,
    ...database.assertions.map(({ name, expect }) => `${name} (expected: ${String(expect)}).`),
    `The application shows that it works by ${application.smoke.command.join(' ')}, within ${formatDuration(application.smoke.within)}${application.smoke.live ? ', after a recovery on the live database too' : ''}.`,
    ...told(application),
  ];
}

function backups(plan: Plan): string[] {
  const { stanza, archiveTimeout } = plan.backups.physical;
  return [
    `pgBackRest, stanza ${stanza}: ${cadencesInWords(plan)}.`,
    `WAL reaches the archive after ${formatDuration(archiveTimeout)} at the latest.`,
    `The newest backup may be ${formatDuration(newestBackupWithinMs(plan))} old.`,
    ...anchors(plan),
    ...files(plan),
  ];
}

function files({ components = {} }: Plan): string[] {
  return Object.entries(components).flatMap(([name, component]) => {
    if (component.kind !== 'restic') return [];
    const { paths, host, repository, schedule, newestWithin } = component;
    const parsed = schedule === undefined ? undefined : parseSchedule(schedule);
    const when = parsed !== undefined && 'schedule' in parsed ? describe(parsed.schedule) : 'when somebody starts it';
    return [
      `The files of ${name} (${listed(paths)} on ${host}) go into ${repository} ${when}; the newest snapshot may be ${formatDuration(newestWithin)} old.`,
    ];
  });
}

function anchors({ backups }: Plan): string[] {
  const parsed = backups.anchors === undefined ? undefined : parseSchedule(backups.anchors);
  if (parsed === undefined || 'problem' in parsed) return [];
  return [`The content of the critical tables is noted by every backup, and ${describe(parsed.schedule)}.`];
}

function drills(plan: Plan, now: Date): string[] {
  const { schedule, host, directory, keepFree } = plan.drills.monthly;
  const parsed = parseSchedule(schedule);
  const when = 'schedule' in parsed ? describe(parsed.schedule) : schedule;
  const next = nextDrills(plan, now).map((at) => `${formatDate(at)} ${at.slice(11, 16)}Z`);
  return [
    `The monthly drill runs ${when}, on ${host} below ${directory}, where ${keepFree} stay free.`,
    `Next: ${next.join(', ')}.`,
    `What is scheduled begins within ${formatDuration(plan.schedules.startWithin)} of its time, or not at all.`,
  ];
}

function records({ pulse, evidence }: Plan): string[] {
  return [
    pulse === undefined
      ? 'No pulse: losses are measured by commit times only.'
      : `A pulse writes a row each second, logged in ${pulse.log} and kept for ${formatDuration(pulse.keep)}.`,
    `Evidence goes to bucket ${evidence.bucket} at ${evidence.endpoint}, or to ${evidence.directory} while that is down.`,
  ];
}

function secrets(plan: Plan): string[] {
  const names = allSecretNames(plan);
  return [
    `${formatNumberOf(names.length, 'secret')}, read by the workers that need them and not checked here: ${listed(names)}.`,
  ];
}
