/** What is gone, and what is not: everything is asked at once, and what is healthy is left alone. */
import type { Found } from '../../../activities/shapes.ts';
import type { Component } from '../../../plan/components.ts';
import { addresses } from '../../../plan/hosts.ts';
import type { FullRecoveryInput } from '../../messages.ts';
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import { bringing } from '../components/bringing.ts';
import type { BringingBack, Standing } from '../components/component.ts';
import { standsOn } from '../components/order.ts';
import { type Assessed, assessLost } from '../full-restore/assess.ts';

export type FullRecoveryRun = Run<FullRecoveryInput>;

/** One component of the plan, and what becomes of it. */
export interface Part {
  name: string;
  bringing: BringingBack;
  /** As it was found. */
  words: string;
  /** `again`: healthy, and begun anew: it would go on with the old files, cache or sessions of what is replaced below it. */
  becomes: 'back' | 'again' | 'left-alone';
  /** Visitors come to it. */
  visited: boolean;
}

export interface Everything {
  /** Absent: the database is left alone, for the reason in `databaseWords`. */
  lost: Assessed | undefined;
  databaseWords: string;
  parts: Part[];
}

/** What `scope` may name besides components. */
const databaseInScope = 'database';

export async function assessEverything(run: FullRecoveryRun): Promise<Everything> {
  await run.check('The scope names parts of the service', async () => scopeIsKnown(run));
  // What is looked at is what is acted on: nobody else changes it in between. In a dry run whoever looks at the database says who holds it.
  if (run.mode === 'live') await run.holdService();
  const [stands, looked] = await run.together(
    () => run.check('How the database stands', () => howDatabaseStands(run)),
    () => lookAtComponents(run),
    () => howVisitorsAreLed(run),
  );
  const parts = partsOf(run, looked, stands.lost);
  if (!stands.lost && !parts.some(({ becomes }) => becomes !== 'left-alone')) throw nothingIsGone(stands, parts);
  const lost = stands.lost ? await assessLost(run) : undefined;
  if (lost === undefined && run.mode === 'dry-run') await run.holdService();
  await holdHosts(run, parts, lost !== undefined);
  if (run.input.incidentAt !== undefined) run.record({ incidentAt: run.input.incidentAt });
  return { lost, databaseWords: stands.found, parts };
}

function scopeIsKnown({ input, plan }: FullRecoveryRun): Found {
  const known = [databaseInScope, ...Object.keys(plan.components ?? {})];
  const { scope = known } = input;
  const strange = scope.filter((name) => !known.includes(name));
  if (strange.length > 0)
    throw failure(
      'InputInvalid',
      `the plan of ${plan.service} has no ${strange.join(' and no ')}; its parts are ${known.join(', ')}.`,
    );
  return { found: scope.join(', '), expected: `parts of ${known.join(', ')}` };
}

const inScope = ({ input }: FullRecoveryRun, name: string) => input.scope === undefined || input.scope.includes(name);

/** A database of which anything is alive is not brought back from its backups: what a standby holds may be newer than the archive. */
async function howDatabaseStands(run: FullRecoveryRun): Promise<Found & { lost: boolean }> {
  if (!inScope(run, databaseInScope)) return { lost: false, found: 'not in the scope of this run: it is left alone' };
  const { database, service } = run.plan;
  const { members, found } = await run.control.members({ database, addresses: addresses(run.plan) });
  if (members.every(({ role }) => role === 'unknown')) return { lost: true, found, expected: 'a primary' };
  if (members.some(({ role }) => role === 'primary'))
    return { lost: false, found: `${found}: it is left alone`, expected: 'a primary' };
  throw failure(
    'ServerAlive',
    `${found}: a standby is alive, and may hold more than the archive does. Fail over to it: lifeboat start database-failover ${service}. Then start this again for the rest, or with a scope without the database.`,
  );
}

type Looked = Standing & Pick<Part, 'name' | 'bringing'>;

function lookAtComponents(run: FullRecoveryRun): Promise<readonly Looked[]> {
  return run.together(
    ...Object.entries(run.plan.components ?? {})
      .filter(([name]) => inScope(run, name))
      .map(([name, component]) => async () => {
        const back = bringing(run, { name, component });
        return { ...(await run.check(`How ${name} stands`, () => back.look())), name, bringing: back };
      }),
  );
}

function partsOf(run: FullRecoveryRun, looked: readonly Looked[], databaseLost: boolean): Part[] {
  const components = run.plan.components ?? {};
  const gone = looked.filter(({ healthy, serves }) => !healthy && serves !== true).map(({ name }) => name);
  return looked.map(({ name, bringing, healthy, found }) => {
    const below = databaseLost || standsOn(components, name, gone).length > 0;
    const anew = bringing.beginAnew !== undefined && below;
    const becomes = healthy ? (anew ? 'again' : 'left-alone') : 'back';
    return { name, bringing, words: found, becomes, visited: bringing.beginAnew !== undefined };
  });
}

/** A load balancer that does not answer, or has other servers than the plan, is known before anything is changed. */
async function howVisitorsAreLed(run: FullRecoveryRun): Promise<void> {
  const { visitors } = run.plan;
  if (visitors !== undefined)
    await run.check('How visitors are led', async () => {
      const { found } = await run.control.visitorsState({ visitors });
      return { found };
    });
}

/** A backup of files that are being replaced would keep half of them. */
async function holdHosts(run: FullRecoveryRun, parts: readonly Part[], databaseHeld: boolean): Promise<void> {
  const members = databaseHeld ? run.plan.database.members.map(({ host }) => host) : [];
  const hosts = parts
    .filter(({ becomes }) => becomes !== 'left-alone')
    .flatMap(({ name }) => hostsOf(run.plan.components?.[name]));
  for (const host of new Set(hosts)) if (!members.includes(host)) await run.hold(host);
}

function hostsOf(component: Component | undefined): string[] {
  if (component === undefined) return [];
  return component.kind === 'redis-sentinel' ? component.members.map(({ host }) => host) : [component.host];
}

function nothingIsGone(stands: Found, parts: Part[]): Error {
  const words = [`the database: ${stands.found}`, ...parts.map(({ name, words }) => `${name}: ${words}`)];
  return failure(
    'NothingLost',
    `everything that was looked at is healthy (${words.join('; ')}), so there is nothing to bring back. To go back in time use point-in-time-recovery; to begin an application anew, application-recovery.`,
  );
}
