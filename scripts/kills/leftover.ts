/** What a sweep is for: a drill that was ended before it could clean up, and a dry run that has shown what it left. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import type { Evidence } from '../../evidence/evidence.ts';
import { giveTo } from '../../lab/host.ts';
import { until } from '../../lab/until.ts';
import { evidenceQuery } from '../../workflows/messages.ts';
import { type Scene, startRun } from './scene.ts';

/** The server beside is promoted by then, and at work. */
const endedIn = 'application/the-application-works-on-the-restored-database';
const withinMs = 180_000;

/** Leaves a directory with a running server in it, beside one that is a stranger's. Returns the run that has shown it. */
export async function leaveSomething(scene: Scene): Promise<string> {
  const { scratch } = scene.estate.servers.db2;
  // What a person has put there is there after every sweep.
  const foreign = join(scratch, 'not-ours');
  await mkdir(foreign, { recursive: true });
  await giveTo(scene.estate.site.account, foreign);
  await endEarly(scene, await startRun(scene, 'monthly-drill', {}));
  const { signal } = scene.estate.site;
  // On a busy machine the engine lists a run as ended some time after it has ended: until then a sweep leaves it its things.
  const wait = { what: 'a sweep to show what the terminated drill has left', withinMs, everyMs: 1_000, signal };
  return until(wait, async () => {
    const shown = await startRun(scene, 'sweep', { mode: 'dry-run' });
    await shown.result();
    const { leftovers = [] } = await shown.query<Evidence>(evidenceQuery);
    return leftovers.some(({ verdict }) => verdict === 'left') ? shown.workflowId : undefined;
  });
}

async function endEarly({ client, estate }: Scene, drill: WorkflowHandle): Promise<void> {
  const { signal } = estate.site;
  await until({ what: `${drill.workflowId} to reach ${endedIn}`, withinMs, everyMs: 100, signal }, async () => {
    const { steps } = await drill.query<Evidence>(evidenceQuery);
    return steps.some(({ id }) => id === endedIn);
  });
  await drill.terminate('the kill walk leaves something for the sweep');
  await until({ what: 'its lock to go with it', withinMs, everyMs: 100, signal }, async () => {
    const { status } = await client.workflow.getHandle('lifeboat-host/db2').describe();
    return status.name !== 'RUNNING';
  });
}
