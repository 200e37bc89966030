/** What runs left on the hosts that could not clean up: found, compared with what was shown, removed, proven gone. */
import type { LeftoverFound, Trace } from '../../activities/shapes.ts';
import type { Leftover } from '../../evidence/evidence.ts';
import { removable } from '../../evidence/leftovers.ts';
import { keptUsuallyMs } from '../../evidence/set-aside.ts';
import { hostQueue, type SweepInput } from '../messages.ts';
import type { Change } from '../runbook/change.ts';
import { failure } from '../runbook/failure.ts';
import type { Run } from '../runbook/run.ts';

/** The hosts of the database and of the drill, or the one that was asked for. */
export function hostsOf(run: Run<SweepInput>): string[] {
  const { database, drills } = run.plan;
  const all = [...new Set([...database.members.map(({ host }) => host), drills.monthly.host])].sort();
  const { host } = run.input;
  if (host === undefined) return all;
  if (!all.includes(host))
    throw failure('InputInvalid', `the plan of ${run.plan.service} has no host ${host}; it has ${all.join(', ')}.`);
  return [host];
}

/** From the hosts, and from the histories of runs that were ended before they could clean up. */
export async function findLeftovers(run: Run<SweepInput>, hosts: string[]): Promise<Leftover[]> {
  const { service } = run.plan;
  const { traces } = await run.check('Runs that could not clean up are known', () =>
    run.control.tracesOfEnded({ service }),
  );
  const found: LeftoverFound[] = [];
  const silent: string[] = [];
  for (const host of hosts) {
    const here = await run.check(`What lies on ${host}`, () => lookAt(run, host));
    if (here.polls) found.push(...here.leftovers);
    else silent.push(host);
  }
  const { members } = run.plan.database;
  const locks = [...new Set([...members.map(({ host }) => host), ...hosts])].map((host) => `lifeboat-host/${host}`);
  const { leftovers } = await run.check('Whose it is', () =>
    run.control.judgeLeftovers({
      ...{ found, traces, locks, me: { workflowId: run.evidence.run } },
      keepOldForMs: run.plan.recovery?.keepOldFor ?? keptUsuallyMs,
    }),
  );
  return [...leftovers, ...tracesOn(silent, traces)];
}

/** A host without a worker must not keep the others from being swept. */
async function lookAt(run: Run<SweepInput>, host: string) {
  const { polls } = await run.control.somebodyPolls({ queue: hostQueue(host) });
  if (!polls)
    return {
      polls,
      leftovers: [],
      found: `not looked at: no worker polls ${hostQueue(host)}. Start lifeboat-host there, and sweep again`,
    };
  const looked = await run.host(host).leftovers({ host, service: run.plan.service, members: membersOn(run, host) });
  return { ...looked, polls };
}

/** On a host that nobody looks at, only the histories tell. */
function tracesOn(hosts: string[], traces: Trace[]): Leftover[] {
  return traces.flatMap(({ run, scratch, status, endedAt }) =>
    scratch
      .filter(({ host }) => hosts.includes(host))
      .map(({ host, directory }) => ({
        host,
        kind: 'directory' as const,
        what: directory,
        path: directory,
        identity: '',
        since: endedAt,
        run,
        verdict: 'unknown' as const,
        why: `${run} used it and ended ${status.toLowerCase()}; nobody could look, because no worker answers on ${host}`,
      })),
  );
}

/**
 * What was shown and still lies there.
 *
 * @throws Moved something else lies in its place, or a run uses it by now
 */
export function compareWithShown(shown: Leftover[], found: Leftover[], hosts: string[]) {
  const left: Leftover[] = [];
  let gone = 0;
  for (const one of shown.filter(({ host }) => hosts.includes(host))) {
    const now = found.find((other) => isThere(one, other));
    if (now === undefined) gone += 1;
    else if (now.identity !== one.identity)
      throw failure(
        'Moved',
        `${one.what} on ${one.host} is not the one that was shown: another one is in its place. Nothing was removed: look again (lifeboat sweep).`,
      );
    else if (!removable(now))
      throw failure(
        'Moved',
        `${one.what} on ${one.host} was left behind when it was shown, and now ${now.why}. Nothing was removed: look again (lifeboat sweep).`,
      );
    else left.push(now);
  }
  const already = gone === 0 ? '' : `; ${gone} more are gone already`;
  return {
    left,
    found: `${left.length} of ${shown.length} as they were shown${already}`,
    expected: 'nothing else in the place of what was shown',
  };
}

function isThere(one: Leftover, other: Leftover): boolean {
  if (one.host !== other.host || one.kind !== other.kind) return false;
  // A number that was given to another process or session is a stranger's, who is no concern of ours.
  return one.kind === 'directory' || one.kind === 'set-aside'
    ? one.path === other.path
    : one.identity === other.identity;
}

/** Removes what was shown on a host, and proves that it is gone. */
export async function removeFrom(run: Run<SweepInput>, host: string, left: Leftover[]): Promise<void> {
  await run.change(`Remove what was left on ${host}`, removal(run, host, left));
  await run.prove(`Nothing of it is left on ${host}`, async () => {
    const now = await run.host(host).leftovers({ host, service: run.plan.service, members: membersOn(run, host) });
    const still = left.filter((one) => now.leftovers.some((other) => other.identity === one.identity));
    if (still.length > 0)
      throw failure(
        'LitterFound',
        `still there on ${host}: ${still.map(({ what }) => what).join('; ')}. Expected it to be gone; remove it by hand.`,
      );
    return { found: `${left.length} of ${left.length} are gone`, expected: 'nothing of what was shown' };
  });
}

function removal(run: Run<SweepInput>, host: string, leftovers: Leftover[]): Change<unknown> {
  return {
    preview: async () => ({
      will: `remove ${leftovers.map(({ what, run: of }) => `${what}${of === undefined ? '' : ` (of ${of})`}`).join('; ')}`,
      yields: undefined,
    }),
    apply: () => run.host(host).removeLeftovers({ host, members: membersOn(run, host), leftovers }),
    undo: { pointOfNoReturn: 'What was left behind was of no use to anybody; it does not come back.' },
  };
}

function membersOn(run: Run<SweepInput>, host: string) {
  return run.plan.database.members.filter((member) => member.host === host);
}
