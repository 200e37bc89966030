/** How the application is found, and what is to be done to it. Everything here only reads. */
import type { ApplicationRecoveryInput } from '../../messages.ts';
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import { type Application, isHealthy } from '../components/application.ts';
import { applicationOf, type Chosen, chooseApplication } from '../components/applications.ts';

export interface Assessed {
  chosen: Chosen;
  application: Application;
  does: 'nothing' | 'bring back' | NonNullable<ApplicationRecoveryInput['action']>;
  why: string;
  /** It was not healthy when the run began. */
  ailed: boolean;
}

/** @throws ApplicationUnfit nobody can start it, or somebody keeps it down on purpose @throws NotPermitted */
export async function assessApplication(run: Run<ApplicationRecoveryInput>): Promise<Assessed> {
  const { action, incidentAt } = run.input;
  if (incidentAt !== undefined) run.record({ incidentAt });
  const chosen = await run.check('It is known which application', async () => {
    const { name, component } = chooseApplication(run.plan.components, run.input.component);
    return { name, component, found: `${name}, of kind ${component.kind}` };
  });
  await run.holdService();
  const application = applicationOf(run, chosen);
  const standing = await run.check(`How ${application.name} stands`, () => application.look());
  const known = { chosen, application, ailed: !standing.healthy };
  if (action !== undefined) return { ...known, ...(await asked(application, action, standing.found)) };
  if (standing.healthy) return { ...known, does: 'nothing', why: standing.found };
  refuseKeptDown(application);
  // What has failed for good or was stopped is not waited for: its keeper has given it up.
  const { runs } = application.seen;
  if (runs !== 'up' && runs !== 'changing') return { ...known, does: 'bring back', why: standing.found };
  const later = await application.comesBack();
  return { ...known, does: later.healthy ? 'nothing' : 'bring back', why: later.found };
}

async function asked(
  application: Application,
  action: NonNullable<ApplicationRecoveryInput['action']>,
  words: string,
): Promise<Pick<Assessed, 'does' | 'why'>> {
  const { seen } = application;
  if (action === 'start' && isHealthy(seen)) return { does: 'nothing', why: `it runs already: ${words}` };
  const quiet = seen.quiesced !== undefined && seen.runs !== 'up' && seen.runs !== 'changing';
  if (action === 'quiesce' && quiet) return { does: 'nothing', why: `it is quiet already: ${words}` };
  if (action === 'start' || action === 'restart') refuseKeptDown(application);
  await application.mayBeChanged(action === 'quiesce' || (action === 'resume' && seen.quiesced !== undefined));
  return { does: action, why: `asked for: ${words}` };
}

/** Somebody may be alone with its data: bringing it back would let it write there. */
function refuseKeptDown({ name, seen }: Application): void {
  if (seen.quiesced === undefined) return;
  throw failure(
    'ApplicationUnfit',
    `${name} is kept from running on purpose: ${seen.quiesced}. Find out whether that has ended; then start this again with "action": "resume".`,
  );
}
