/** What the histories of runs tell that were ended before they could clean up. */
import { Context } from '@temporalio/activity';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { Evidence, Leftover } from '../../evidence/evidence.ts';
import type { ControlReads } from '../contract.ts';
import { readEvidence } from '../evidence/store.ts';
import { failure } from '../failure.ts';
import { describe } from '../runs.ts';
import type { Trace } from '../shapes.ts';

/** Of the newest; what older ones left still lies on the hosts, with a file that names them. */
const mostRuns = 50;

/** gRPC: the server does not know the search attributes, so Lifeboat has not run there yet. */
const invalidArgument = 3;

export async function tracesOfEnded(ask: { service: string }): ReturnType<ControlReads['tracesOfEnded']> {
  const { client } = Context.current();
  const traces: Trace[] = [];
  for (const { workflowId, runId, status, closeTime } of await endedEarly(client, ask.service)) {
    // A reset terminates the execution that it discards, and the run goes on.
    const newest = await describe(client, workflowId);
    if (newest !== undefined && newest.runId !== runId) continue;
    const made = await madeIn(client, workflowId, runId);
    traces.push({
      run: workflowId,
      status: status.name,
      endedAt: (closeTime ?? new Date(0)).toISOString(),
      ...made,
    });
  }
  const runs = traces.map(({ run, status, endedAt }) => `${run} (${status.toLowerCase()}, ${endedAt})`);
  return {
    traces,
    found: runs.length === 0 ? `no run of ${ask.service} was ended before it could clean up` : runs.join(', '),
  };
}

async function endedEarly(client: Client, service: string) {
  const query = `LifeboatService = '${service.replaceAll("'", "''")}' AND ExecutionStatus IN ('Terminated', 'TimedOut')`;
  const found = [];
  try {
    for await (const one of client.workflow.list({ query, pageSize: mostRuns })) {
      found.push(one);
      if (found.length >= mostRuns) break;
    }
  } catch (error) {
    if (!(error instanceof Error && codeOf(error) === invalidArgument)) throw error;
  }
  return found;
}

function codeOf(error: Error): unknown {
  if ('code' in error) return error.code;
  return error.cause instanceof Error ? codeOf(error.cause) : undefined;
}

async function madeIn(client: Client, workflowId: string, runId: string): Promise<Pick<Trace, 'scratch' | 'pausing'>> {
  const made: Pick<Trace, 'scratch' | 'pausing'> = { scratch: [], pausing: [] };
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const ended = new Set(
    (events ?? []).map((event) => String(event.activityTaskCompletedEventAttributes?.scheduledEventId ?? '')),
  );
  for (const event of events ?? []) {
    const asked = event.activityTaskScheduledEventAttributes;
    if (asked == null) continue;
    const ask = await firstOf(client, asked.input?.payloads);
    const scratch = 'scratch' in ask ? placeIn(ask.scratch) : undefined;
    if (scratch !== undefined && made.scratch.every((one) => one.directory !== scratch.directory))
      made.scratch.push(scratch);
    const pausing = asked.activityType?.name === 'anchorOnStandby' && !ended.has(String(event.eventId));
    if (pausing && 'member' in ask) made.pausing.push(hostIn(ask.member));
  }
  return made;
}

async function firstOf(client: Client, payloads: Payload[] | null | undefined): Promise<object> {
  if (!payloads) return {};
  const [ask] = await decodeArrayFromPayloads(client.options.loadedDataConverter, payloads);
  return typeof ask === 'object' && ask !== null ? ask : {};
}

function placeIn(value: unknown): { host: string; directory: string } | undefined {
  if (typeof value !== 'object' || value === null || !('host' in value) || !('directory' in value)) return undefined;
  const { host, directory } = value;
  return typeof host === 'string' && typeof directory === 'string' ? { host, directory } : undefined;
}

function hostIn(value: unknown): string {
  return typeof value === 'object' && value !== null && 'host' in value ? String(value.host) : '';
}

/**
 * What a dry run of the sweep has shown, from its history or, when Temporal has that no longer, from its evidence.
 *
 * @throws InputInvalid it was no such run
 */
export async function shownBy(ask: Parameters<ControlReads['shownBy']>[0]): ReturnType<ControlReads['shownBy']> {
  const evidence = (await queried(ask.run)) ?? (await readEvidence(ask.store, ask.service, ask.run));
  const wrong = whyNot(evidence, ask.service);
  if (evidence === undefined || wrong !== undefined)
    throw failure('InputInvalid', `${ask.run} ${wrong}; expected a dry run of the sweep that has shown what is left.`);
  const leftovers: Leftover[] = evidence.leftovers ?? [];
  return {
    leftovers,
    found: `${ask.run} has shown ${leftovers.length} things at ${evidence.endedAt ?? 'an unknown time'}`,
  };
}

function whyNot(evidence: Evidence | undefined, service: string): string | undefined {
  if (evidence === undefined) return 'is not known, neither to Temporal nor to the evidence store';
  if (evidence.runbook !== 'sweep' || evidence.mode !== 'dry-run') return `is a ${evidence.runbook} (${evidence.mode})`;
  if (evidence.service !== service) return `is of service ${evidence.service}`;
  return evidence.outcome === 'previewed' ? undefined : `ended ${evidence.outcome}`;
}

export async function queried(run: string): Promise<Evidence | undefined> {
  try {
    return await Context.current().client.workflow.getHandle(run).query<Evidence>('evidence');
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
