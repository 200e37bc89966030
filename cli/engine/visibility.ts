/** Runs and locks as Temporal's visibility lists them: eventually consistent, a second or so behind. */
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { type RunbookName, runbooks, searchAttributes } from '../../workflows/messages.ts';
import { attributesOf, inQuery, ofRunbooks } from '../../workflows/run-attributes.ts';
import { ask, grpc, grpcCode } from './ask.ts';
import type { HeldLock, ListedRun, NewestAsk } from './engine.ts';
import type { Reached } from './reach.ts';
import { statusOf } from './status.ts';

const listWithinMs = 10_000;

const names = new Map<string, RunbookName>(
  (Object.keys(runbooks) as RunbookName[]).map((runbook) => [runbooks[runbook], runbook]),
);

function runbookOf(type: string): RunbookName | undefined {
  return names.get(type);
}

async function list(reached: Reached, client: Client, query: string, limit: number): Promise<WorkflowExecutionInfo[]> {
  return ask(reached, listWithinMs, async () => {
    const found: WorkflowExecutionInfo[] = [];
    for await (const info of client.workflow.list({ query, pageSize: Math.min(limit, 200) })) {
      found.push(info);
      if (found.length >= limit) break;
    }
    return found;
  });
}

export async function newestRuns(reached: Reached, client: Client, limit: number): Promise<ListedRun[]> {
  return newestFirst((await list(reached, client, ofRunbooks, limit)).map(listedRun));
}

export async function runningRuns(reached: Reached, client: Client): Promise<ListedRun[]> {
  const query = `${ofRunbooks} AND ExecutionStatus = 'Running'`;
  return newestFirst((await list(reached, client, query, 200)).map(listedRun));
}

export async function newestOf(
  reached: Reached,
  client: Client,
  { service, runbook, mode, outcome }: NewestAsk,
): Promise<ListedRun | undefined> {
  const query = [
    `WorkflowType = ${inQuery(runbooks[runbook])}`,
    `ExecutionStatus != 'Running'`,
    `${searchAttributes.service} = ${inQuery(service)}`,
    `${searchAttributes.mode} = ${inQuery(mode)}`,
    ...(outcome === undefined ? [] : [`${searchAttributes.outcome} = ${inQuery(outcome)}`]),
  ].join(' AND ');
  try {
    return newestFirst((await list(reached, client, query, 1)).map(listedRun))[0];
  } catch (error) {
    // The control worker registers the search attributes; before it ever ran there are no runs either.
    if (grpcCode(error) === grpc.invalidArgument) return undefined;
    throw error;
  }
}

export async function locks(reached: Reached, client: Client): Promise<HeldLock[]> {
  const held = await list(reached, client, `WorkflowType = 'lock' AND ExecutionStatus = 'Running'`, 200);
  return held.map((info) => ({
    lock: info.workflowId,
    ...(info.parentExecution?.workflowId ? { holder: info.parentExecution.workflowId } : {}),
    since: info.startTime,
  }));
}

function newestFirst(runs: ListedRun[]): ListedRun[] {
  return runs.sort((a, b) => b.startedAt.getTime() - a.startedAt.getTime());
}

function listedRun(info: WorkflowExecutionInfo): ListedRun {
  const runbook = runbookOf(info.type);
  return {
    run: info.workflowId,
    runId: info.runId,
    ...(runbook === undefined ? {} : { runbook }),
    ...attributesOf(info),
    status: statusOf(info.status.name),
    startedAt: info.startTime,
    ...(info.closeTime === undefined ? {} : { endedAt: info.closeTime }),
  };
}
