/** What is promised can be kept: the phases fit into the RTO, and WAL arrives within the RPO. */
import { durationText } from '../duration.ts';
import { nearestKey } from '../issues.ts';
import type { Plan } from '../schema.ts';
import { rule, type Say } from './rule.ts';

/** Runbooks that may have objectives of their own. An anchor and a sweep promise nobody anything. */
export const runbooksWithObjectives = [
  'monthly-drill',
  'backup',
  'point-in-time-recovery',
  'full-restore',
  'full-recovery',
  'database-failover',
  'region-failover',
  'application-recovery',
  'configuration-restore',
] as const;

export const phasesFitTheRto = rule(['objectives', 'phases'], ({ objectives, phases }, say) => {
  const sum = Object.values(phases).reduce((total, budget) => total + budget, 0);
  if (sum > objectives.rto)
    say(
      ['phases'],
      `the phases may take ${durationText(sum)} together, longer than objectives.rto of ${durationText(objectives.rto)}`,
      {
        at: 'key',
        instead: 'shorten a phase, or promise a longer RTO',
      },
    );
});

/** A commit may wait `archive_timeout` before its segment is closed; what is lost with the server is at most that old. */
export const archivingMeetsTheRpo = rule(['objectives', 'backups'], ({ objectives, backups }, say) => {
  const { archiveTimeout } = backups.physical;
  const wait = durationText(archiveTimeout);
  if (archiveTimeout >= objectives.rpo)
    say(
      ['backups', 'physical', 'archiveTimeout'],
      `WAL reaches the archive only after up to ${wait}, which cannot meet objectives.rpo of ${durationText(objectives.rpo)}`,
      { instead: `write less than ${durationText(objectives.rpo)}` },
    );
  for (const [path, rpo] of narrowerPromises(objectives))
    if (archiveTimeout >= rpo && rpo < objectives.rpo)
      say(
        ['objectives', ...path, 'rpo'],
        `an RPO of ${durationText(rpo)} cannot be met: WAL reaches the archive only after up to ${wait} (backups.physical.archiveTimeout)`,
      );
});

function narrowerPromises({ runbooks = {}, dataClasses = {} }: Plan['objectives']): [path: string[], rpo: number][] {
  return [
    ...Object.entries(runbooks).map(([name, { rpo }]) => [['runbooks', name], rpo] as const),
    ...Object.entries(dataClasses).map(([name, { rpo }]) => [['dataClasses', name], rpo] as const),
  ].flatMap(([path, rpo]) => (rpo === undefined ? [] : [[[...path], rpo] as [string[], number]]));
}

export const narrowerPromisesSaySomething = rule(['objectives'], ({ objectives }, say) => {
  const { runbooks = {}, components = {}, dataClasses = {} } = objectives;
  for (const [group, named] of Object.entries({ runbooks, components, dataClasses }))
    for (const [name, { rto, rpo }] of Object.entries(named))
      if (rto === undefined && rpo === undefined)
        say(['objectives', group, name], `objectives.${group}.${name} promises nothing`, {
          at: 'key',
          instead: 'write rto, rpo or both',
        });
  for (const name of Object.keys(runbooks)) unknownRunbook(name, say);
});

function unknownRunbook(name: string, say: Say): void {
  const known: readonly string[] = runbooksWithObjectives;
  if (known.includes(name)) return;
  const near = nearestKey(name, known);
  say(['objectives', 'runbooks', name], `Lifeboat has no runbook "${name}"`, {
    at: 'key',
    instead: near === undefined ? `it has ${known.join(', ')}` : `did you mean "${near}"?`,
  });
}

export const dataClassesAreCritical = rule(['objectives', 'database'], ({ objectives, database }, say) => {
  const critical = new Set(database.criticalTables.map(qualified));
  const classOf = new Map<string, string>();
  for (const [name, { tables }] of Object.entries(objectives.dataClasses ?? {}))
    for (const [index, table] of tables.entries()) {
      const path = ['objectives', 'dataClasses', name, 'tables', index];
      const other = classOf.get(qualified(table));
      if (!critical.has(qualified(table)))
        say(path, `table ${table} is not one of database.criticalTables, so nothing proves what came back of it`, {
          instead: 'name it there too',
        });
      if (other !== undefined) say(path, `table ${table} is in data class ${other} already`);
      classOf.set(qualified(table), name);
    }
});

/** As PostgreSQL reads it with its usual search path: `Orders` is `public.orders`. */
export function qualified(table: string): string {
  const folded = table.replace(/"([^"]*)"|[^".]+/g, (part, quoted: string | undefined) => quoted ?? part.toLowerCase());
  return /^(?:"[^"]*"|[^".]+)\./.test(table) ? folded : `public.${folded}`;
}
