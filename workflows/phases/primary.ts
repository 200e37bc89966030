/** Which of the members is the primary, as they say themselves. */
import { addresses } from '../../plan/hosts.ts';
import { failure } from '../runbook/failure.ts';
import type { Run } from '../runbook/run.ts';

export interface Roles {
  primary: string;
  standby: string | undefined;
  found: string;
}

/** Finds the primary and holds its host for as long as the run is open. */
export async function holdPrimary(run: Run): Promise<Roles> {
  const found = await run.check('One member is the primary', () => rolesOf(run));
  const { waitedMs } = await run.hold(found.primary);
  if (waitedMs === 0) return found;
  // Much can happen while one waits: a switchover is what the other run may have been.
  return run.check('The primary is still the same', async () => {
    const now = await rolesOf(run);
    if (now.primary === found.primary) return now;
    throw failure(
      'Moved',
      `the primary was ${found.primary} when this run began to wait for it, and is ${now.primary} now (${now.found}). Start it again.`,
    );
  });
}

/** After a change: what was promoted elsewhere meanwhile writes on another timeline, which the change has not seen. */
export async function samePrimary(run: Run, host: string): Promise<Roles & { expected: string }> {
  const now = await rolesOf(run);
  if (now.primary !== host)
    throw failure(
      'Moved',
      `${now.primary} is the primary by now, ${host} was when this run began (${now.found}). What was made is complete, but lacks what ${now.primary} has written since: start it again.`,
    );
  return { ...now, expected: `${host} is the primary, as when the run began` };
}

async function rolesOf(run: Run): Promise<Roles> {
  const { members, found } = await run.control.members({
    database: run.plan.database,
    addresses: addresses(run.plan),
  });
  const primary = members.find((one) => one.role === 'primary');
  if (primary === undefined)
    throw failure('NotPrimary', `no member says that it is the primary (${found}); expected one`);
  return { primary: primary.host, standby: members.find((one) => one.role === 'standby')?.host, found };
}
