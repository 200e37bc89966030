/**
 * Whose a scratch directory is: a file in it names the run and the execution that made it. After a reset a run goes on as a new execution
 * of the same name, and may find what the discarded one left: half restored, replayed too far, promoted. It must not go on with that.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { Context } from '@temporalio/activity';
import { failure } from '../failure.ts';
import type { MadeBy, Scratch } from '../shapes.ts';
import { exists, type Places, permittedPlaces, placesOf, writeWhole } from './scratch.ts';

/** Makes the directory this execution's own. Closed to all others: it will hold the service's data. */
export async function claim(places: Places, ask: { scratch: Scratch; key?: string }): Promise<void> {
  await mkdir(places.directory, { recursive: true, mode: 0o700 });
  const { workflowExecution, workflowType, namespace } = Context.current().info;
  const was = await madeBy(places.directory);
  if (was !== undefined && was.execution === workflowExecution?.runId) return;
  const firstRunId = ask.key?.split('/')[0];
  const mine: MadeBy = {
    schema: 'lifeboat.scratch/1',
    run: workflowExecution?.workflowId ?? 'unknown',
    ...(firstRunId ? { firstRunId } : {}),
    execution: workflowExecution?.runId ?? 'unknown',
    runbook: workflowType ?? 'unknown',
    namespace,
    ...(ask.scratch.service === undefined ? {} : { service: ask.scratch.service }),
    madeAt: was?.madeAt ?? new Date().toISOString(),
  };
  await writeWhole(places.madeBy, `${JSON.stringify(mine, undefined, 2)}\n`);
}

/** `undefined` where nobody, or nothing that can be read, says whose it is. */
export async function madeBy(directory: string): Promise<MadeBy | undefined> {
  const text = await readFile(placesOf(directory).madeBy, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : parsed(text);
}

function parsed(text: string): MadeBy | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isMadeBy(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isMadeBy(value: unknown): value is MadeBy {
  if (typeof value !== 'object' || value === null) return false;
  const texts = ['run', 'execution', 'runbook', 'namespace', 'madeAt'] as const;
  const one: Partial<MadeBy> = value;
  return one.schema === 'lifeboat.scratch/1' && texts.every((name) => typeof one[name] === 'string');
}

/**
 * Lets an activity work only on the server that this execution has made.
 *
 * @throws NotPermitted @throws BesideLost it is gone, or an execution that a reset discarded made it: the run makes it anew
 */
export function onOwnServer<Ask extends { scratch: Scratch }, Answer>(
  activity: (ask: Ask) => Promise<Answer>,
): (ask: Ask) => Promise<Answer> {
  return async (ask) => {
    const { directory, host } = ask.scratch;
    // Before anything is read there: what lies in a directory that is not permitted is nobody's to ask.
    await permittedPlaces(ask.scratch);
    const was = await madeBy(directory);
    const me = Context.current().info.workflowExecution?.runId;
    if (was === undefined ? await exists(placesOf(directory).restored) : was.execution === me) return activity(ask);
    throw failure(
      'BesideLost',
      was === undefined
        ? `there is no restored server in ${directory} on ${host} any more; expected the one that this run has made. If nobody removed it, the run was reset after it had cleaned up.`
        : `the server in ${directory} on ${host} was left by execution ${was.execution} of ${was.run}, which a reset discarded; expected the one of this execution.`,
    );
  };
}
