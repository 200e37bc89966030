import { formatDuration } from '../../evidence/format.ts';
import { commandWords, whenWords, whoWords } from '../../evidence/render/asked.ts';
import { forecastSentence } from '../../evidence/render/people-words.ts';
import { type Trouble, troublesOf } from '../../plan/schedule-kept.ts';
import type { NewestRun, RunningRun, ServiceStatus, Status } from './collect.ts';
import type { EndedEarly } from './left-behind.ts';

export function statusInWords(status: Status, now: Date): string {
  return [
    ...(status.services.length === 0 ? ['No service has run anything yet: lifeboat drill, lifeboat backup.'] : []),
    ...status.services.flatMap((one) => serviceInWords(one, now)),
    ...status.unassigned.map((run) => `Running: ${runningInWords(run, now)}, has not read its plan yet`),
    ...status.locks.map((lock) => lockInWords(lock, now)),
    status.workers.length === 0
      ? `Nobody works on task queue lifeboat (namespace ${status.namespace} at ${status.address}): start lifeboat-control`
      : `Control workers: ${status.workers.join(', ')}`,
    ...status.notes,
  ].join('\n');
}

function serviceInWords(service: ServiceStatus, now: Date): string[] {
  return [
    service.service,
    `  drill    ${service.newestDrill === undefined ? 'never' : newestInWords(service.newestDrill, now)}`,
    ...provenInWords(service, now),
    `  backup   ${service.newestBackup === undefined ? 'never by Lifeboat' : newestInWords(service.newestBackup, now)}`,
    ...switchoverInWords(service, now),
    ...recoveryInWords(service, now),
    ...service.running.flatMap((run) => [`  running  ${runningInWords(run, now)}`, ...waitsInWords(run, now)]),
    ...schedulesInWords(service),
    ...service.endedEarly.flatMap((run) => [
      `  left     ${leftInWords(run, service.service, now)}`,
      ...indented(run.left),
    ]),
    '',
  ];
}

/** Most services never see one: then there is nothing to say. */
function switchoverInWords({ newestSwitchover }: ServiceStatus, now: Date): string[] {
  if (newestSwitchover === undefined) return [];
  return [`  switched ${newestInWords(newestSwitchover, now)}`, ...indented(newestSwitchover.left)];
}

function recoveryInWords({ service, newestRecovery }: ServiceStatus, now: Date): string[] {
  if (newestRecovery === undefined) return [];
  const { run, kept, keptUntil } = newestRecovery;
  const told = `  recovery ${newestInWords(newestRecovery, now)}`;
  // Afterwards a sweep may have taken them.
  if (kept.length === 0 || Date.parse(keptUntil) < now.getTime()) return [told];
  const until = `until ${keptUntil.slice(0, 16).replace('T', ' ')}Z`;
  return [
    told,
    ...indented(kept.map(({ host, directory }) => `kept on ${host} ${until}: ${directory}`)),
    ...indented([`once nobody needs the old data any more: lifeboat accept ${run} ${service}`]),
  ];
}

function indented(lines: readonly string[] = []): string[] {
  return lines.map((line) => `           ${line}`);
}

const labels: Record<Trouble['kind'], string> = {
  missed: 'MISSED',
  failed: 'FAILED',
  stuck: 'STUCK',
  paused: 'PAUSED',
  'not-scheduled': 'MISSING',
};

/** What is wrong, each with what to do; then what comes next. */
function schedulesInWords({ service, schedules }: ServiceStatus): string[] {
  const next = schedules
    .filter(({ troubles }) => troubles.every(({ kind }) => kind !== 'not-scheduled' && kind !== 'paused'))
    .map(({ name, next: at }) => `${name} ${at.slice(0, 16).replace('T', ' ')}Z`);
  return [
    ...troublesOf(service, schedules).map(({ kind, message }) => `  ${labels[kind].padEnd(8)} ${message}`),
    ...(next.length === 0 ? [] : [`  next     ${next.join(', ')}`]),
  ];
}

/** A drill that came to nothing must not hide the one before it that was proven. */
function provenInWords({ newestDrill, lastProven }: ServiceStatus, now: Date): string[] {
  if (newestDrill === undefined || newestDrill.outcome === 'proven') return [];
  if (lastProven === undefined) return ['           last proven: never'];
  return [
    `           last proven ${[`${ago(lastProven.endedAt, now)} by ${lastProven.run}`, ...numbersOf(lastProven)].join('   ')}`,
  ];
}

function newestInWords(newest: NewestRun, now: Date): string {
  const words = [
    `${newest.outcome === 'unknown' ? 'left no result' : newest.outcome.toUpperCase()}  ${newest.run}, ${ago(newest.endedAt, now)}`,
    ...numbersOf(newest),
  ];
  const why = newest.failure === undefined ? '' : `\n           ${newest.failure.type}: ${newest.failure.message}`;
  return `${words.join('   ')}${why}`;
}

function numbersOf({ rtoMs, rpoMs, fromStore }: NewestRun): string[] {
  return [
    ...(rtoMs === undefined ? [] : [`RTO ${formatDuration(rtoMs)}`]),
    ...(rpoMs === undefined ? [] : [`RPO ${formatDuration(rpoMs)}`]),
    ...(fromStore ? ['(from the evidence store)'] : []),
  ];
}

function runningInWords(run: RunningRun, now: Date): string {
  const mode = run.mode === undefined ? '' : ` (${run.mode})`;
  const phase = run.phase === undefined ? '' : `, ${run.phase}`;
  return `${run.run}  ${run.runbook}${mode}${phase}, started ${ago(run.startedAt, now)}`;
}

function waitsInWords({ run, waits, forecast }: RunningRun, now: Date): string[] {
  const ends = forecastSentence({ forecast });
  return [
    ...(ends === undefined ? [] : [`           ${ends}`]),
    ...waits.flatMap((one) => [
      `  ${one.agreed ? 'running ' : 'WAITS   '} ${one.name}${one.kind === 'decision' ? ' has failed' : ''}: ${whoWords(one)}`,
      ...[whenWords(one, now), commandWords(run, one)].flatMap((words) =>
        words === undefined ? [] : [`           ${words}`],
      ),
    ]),
  ];
}

function leftInWords({ run, runbook, status, endedAt }: EndedEarly, service: string, now: Date): string {
  const how = status === 'terminated' ? 'was terminated' : 'timed out';
  return `${run}  ${runbook} ${how} ${ago(endedAt, now)} and could not clean up: lifeboat sweep ${service}`;
}

function lockInWords(lock: Status['locks'][number], now: Date): string {
  const held = `Lock ${lock.lock} is held by ${lock.holder ?? 'an unknown run'}, taken ${ago(lock.since, now)}`;
  return lock.orphan ? `${held}; that run has ended, and the next one takes it over` : held;
}

/** `2 h 5 min ago (2026-11-21T14:00:00Z)` */
function ago(at: string, now: Date): string {
  const ms = Math.max(0, now.getTime() - Date.parse(at));
  return `${formatDuration(ms)} ago (${at.replace(/\.\d+Z$/, 'Z')})`;
}
