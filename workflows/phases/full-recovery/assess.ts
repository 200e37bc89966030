/** What is gone, and what is not: everything is asked at once, and what is healthy is left alone. */
import type { Found } from '../../../activities/shapes.ts';
import { addresses } from '../../../plan/hosts.ts';
import type { FullRecoveryInput } from '../../messages.ts';
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import { bringing } from '../components/bringing.ts';
import type { BringingBack } from '../components/component.ts';
import { standsOn } from '../components/order.ts';
import { type Assessed, assessLost } from '../full-restore/assess.ts';

export type FullRecoveryRun = Run<FullRecoveryInput>;

/** One component of the plan, and what becomes of it. */
export interface Part {
  name: string;
  bringing: BringingBack;
  /** As it was found. */
  words: string;
  /** `again`: healthy, and begun anew because what it stands on is brought back. */
  becomes: 'back' | 'again' | 'left-alone';
  /** Visitors come to it. */
  serves: boolean;
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
  const [stands, parts] = await run.together(
    () => run.check('How the database stands', () => howDatabaseStands(run)),
    () => howComponentsStand(run),
  );
  if (!stands.lost && !parts.some(({ becomes }) => becomes !== 'left-alone')) throw nothingIsGone(stands, parts);
  // The lock of the service is taken by whoever looks at what is lost.
  if (stands.lost) return { lost: await assessLost(run), databaseWords: stands.found, parts };
  await run.holdService();
  if (run.input.incidentAt !== undefined) run.record({ incidentAt: run.input.incidentAt });
  return { lost: undefined, databaseWords: stands.found, parts };
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

async function howComponentsStand(run: FullRecoveryRun): Promise<Part[]> {
  const components = run.plan.components ?? {};
  const looked = await run.together(
    ...Object.entries(components)
      .filter(([name]) => inScope(run, name))
      .map(([name, component]) => async () => {
        const back = bringing(run, { name, component });
        const { healthy, found } = await run.check(`How ${name} stands`, () => back.look());
        return { name, bringing: back, words: found, healthy, serves: back.beginAnew !== undefined };
      }),
  );
  const gone = looked.filter(({ healthy }) => !healthy).map(({ name }) => name);
  return looked.map(({ healthy, ...part }) => ({
    ...part,
    becomes: healthy ? (beginsAnew(part, standsOn(components, part.name, gone)) ? 'again' : 'left-alone') : 'back',
  }));
}

/** An application that goes on while its files or its cache are replaced below it would go on with the old ones. */
function beginsAnew({ bringing }: Pick<Part, 'bringing'>, below: readonly string[]): boolean {
  return bringing.beginAnew !== undefined && below.length > 0;
}

function nothingIsGone(stands: Found, parts: Part[]): Error {
  const words = [`the database: ${stands.found}`, ...parts.map(({ name, words }) => `${name}: ${words}`)];
  return failure(
    'NothingLost',
    `everything that was looked at is healthy (${words.join('; ')}), so there is nothing to bring back. To go back in time use point-in-time-recovery; to begin an application anew, application-recovery.`,
  );
}
