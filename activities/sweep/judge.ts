/** Whose the things are that lie on the hosts: asked of Temporal, run by run. */
import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import type { Leftover } from '../../evidence/evidence.ts';
import { formatBytes } from '../../evidence/format.ts';
import type { ControlReads } from '../contract.ts';
import { describe, firstRunOf, isOpen, openHolder, parentOf } from '../runs.ts';
import type { LeftoverFound, Trace } from '../shapes.ts';
import { judgeSetAside } from './set-aside.ts';

type Ask = Parameters<ControlReads['judgeLeftovers']>[0];
type Verdict = Pick<Leftover, 'verdict' | 'why' | 'run'>;

export async function judgeLeftovers(ask: Ask): ReturnType<ControlReads['judgeLeftovers']> {
  const { client } = Context.current();
  const users = await usersOf(client, ask);
  const leftovers: Leftover[] = [];
  for (const found of ask.found) {
    const { madeBy: _maker, watched: _watched, link: _link, note, ...rest } = found;
    const verdict = await judge(client, found, ask, users);
    leftovers.push({ ...rest, ...verdict, why: note === undefined ? verdict.why : `${verdict.why}; ${note}` });
  }
  return { leftovers, found: inWords(leftovers), expected: 'nothing but what a run that goes on uses' };
}

/** Runs that hold one of the hosts; not the one that asks. */
async function usersOf(client: Client, ask: Ask): Promise<string[]> {
  const users: string[] = [];
  for (const id of ask.locks) {
    const lock = await describe(client, id);
    const parent = lock !== undefined && isOpen(lock) ? parentOf(lock) : undefined;
    const holder = parent === undefined ? undefined : await openHolder(client, parent);
    if (holder !== undefined && holder.workflowId !== ask.me.workflowId) users.push(holder.workflowId);
  }
  return [...new Set(users)];
}

async function judge(client: Client, found: LeftoverFound, ask: Ask, users: string[]): Promise<Verdict> {
  const { traces } = ask;
  if (found.kind === 'directory') return judgeDirectory(client, found, traces);
  if (found.kind === 'process') return { verdict: 'left', why: 'its directory is gone', ...runOf(found, traces) };
  if (found.kind === 'set-aside') return judgeSetAside(found, ask, users, Date.now());
  // Sessions and a pause do not name their run: whichever run uses the hosts may need them.
  if (users.length > 0) return { verdict: 'in-use', run: users.join(', '), why: `${users.join(', ')} goes on` };
  if (found.kind === 'session') return { verdict: 'left', why: 'no run uses the hosts of this service' };
  const pausing = traces.find((trace) => trace.pausing.includes(found.host));
  if (found.watched) return { verdict: 'left', why: 'no run uses it', ...(pausing ? { run: pausing.run } : {}) };
  return pausing === undefined
    ? { verdict: 'unknown', why: 'no run of Lifeboat that ended early was about to pause it: somebody else did' }
    : { verdict: 'likely-left', run: pausing.run, why: `${endOf(pausing)} while it was about to pause it` };
}

async function judgeDirectory(client: Client, found: LeftoverFound, traces: Trace[]): Promise<Verdict> {
  const { madeBy: maker, host, path } = found;
  if (found.link) return { verdict: 'unknown', why: 'it is a link, which is not followed' };
  if (maker === undefined) {
    const trace = traces.find((one) => one.scratch.some((at) => at.host === host && at.directory === path));
    if (trace === undefined)
      return { verdict: 'unknown', why: 'no file in it and no history says that Lifeboat made it' };
    return {
      verdict: 'left',
      run: trace.run,
      why: `${endOf(trace)}, says its history; no file in it says whose it is`,
    };
  }
  const { run, namespace } = maker;
  if (namespace !== client.options.namespace)
    return { verdict: 'unknown', run, why: `it belongs to namespace ${namespace} of Temporal: sweep there` };
  const newest = await describe(client, run);
  if (newest === undefined)
    return {
      verdict: 'likely-left',
      run,
      why: 'there is no history of that run any more; the file in it says who made it. If it is young, make sure that this is the right Temporal server',
    };
  const same = newest.runId === maker.execution || firstRunOf(newest) === maker.firstRunId;
  if (isOpen(newest) && same) return { verdict: 'in-use', run, why: `${run} goes on` };
  if (isOpen(newest)) return { verdict: 'left', run, why: 'that run has ended; another one has its name now' };
  const when = newest.closeTime === undefined ? '' : ` at ${newest.closeTime.toISOString()}`;
  return { verdict: 'left', run, why: `${run} ended ${wordOf(newest.status.name)}${when}` };
}

/** A process names only the directory that it was started for. */
function runOf(found: LeftoverFound, traces: Trace[]): { run?: string } {
  const trace = traces.find((one) => one.scratch.some((at) => at.host === found.host && at.directory === found.path));
  return trace === undefined ? {} : { run: trace.run };
}

function endOf(trace: Trace): string {
  return `${trace.run} ended ${wordOf(trace.status)} at ${trace.endedAt}`;
}

function wordOf(status: string): string {
  return status.toLowerCase().replaceAll('_', ' ');
}

function inWords(leftovers: Leftover[]): string {
  const left = leftovers.filter((one) => one.verdict === 'left' || one.verdict === 'likely-left');
  const others = leftovers.length - left.length;
  const bytes = left.reduce((sum, one) => sum + (one.bytes ?? 0), 0);
  const beside = others === 0 ? '' : `; ${others} more that are in use, kept on purpose or not known to be Lifeboat's`;
  if (left.length === 0) return `nothing was left behind${beside}`;
  return `${left.length} left behind, ${formatBytes(bytes)}: ${left.map(({ what }) => what).join('; ')}${beside}`;
}
