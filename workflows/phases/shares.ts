/** Visitors are led to the application share by share. Each share is watched before the next one, and taken back when it is not served well. */
import { sleep } from '@temporalio/workflow';
import type { VisitorsState } from '../../activities/contract.ts';
import type { Found } from '../../activities/shapes.ts';
import { formatDuration } from '../../evidence/format.ts';
import type { Visitors } from '../../plan/visitors.ts';
import {
  setByOthers,
  shareInWords,
  shareOf,
  sharesBetween,
  type Weights,
  weightsFor,
  weightsInWords,
} from '../../recovery/shares.ts';
import type { Change } from '../runbook/change.ts';
import { failure, failureOf } from '../runbook/failure.ts';
import type { Run } from '../runbook/run.ts';

export const shiftApproval = 'Shift traffic';

/** Beside a soak: what is begun before it, and what is waited for after it. Milliseconds. */
const besideASoakMs = 5 * 60_000;
/** Of what may pass by itself. */
const attempts = 8;

const without = 'the plan has no visitors: whoever leads them to the application does so by other means';

/** How visitors are led before anything is changed. */
export interface Led {
  visitors: Visitors;
  /** As they were seen. */
  weights: Weights;
  /** Percent that they are to be led to. */
  to: number;
  /** The shares on the way there. */
  shares: number[];
}

/**
 * Looks at how visitors are led, and changes nothing.
 *
 * @param to percent of the visitors; all of them when absent
 * @param withinMs how long a server of the service is given to be up: it may have been started just now
 * @returns undefined where the plan has no visitors
 * @throws VisitorsFail nobody is there whom they could be led to @throws PlanInvalid
 */
export async function assessVisitors(run: Run, to = 100, withinMs = 0): Promise<Led | undefined> {
  const { visitors } = run.plan;
  if (visitors === undefined) return undefined;
  const { state, weights, shares } = await run.check<
    Found & { state: VisitorsState } & Pick<Led, 'weights' | 'shares'>
  >(
    to === 0 ? 'It is known how visitors are led, before they are led away' : 'It is known how visitors are led',
    async () => {
      if (visitors.closed === undefined && to > 0 && to < 100)
        throw failure(
          'PlanInvalid',
          `${shareInWords(to)} of the visitors cannot be led to ${visitors.servers.join(', ')}: nobody gets what is left. Name the server that does (visitors.closed), or lead all of them there.`,
        );
      const state = await stateWithSomebody(run, visitors, { wanted: to > 0, withinMs });
      const weights = weightsOf(visitors, state);
      const from = weighed(visitors, weights);
      if (to > 0 && to >= from) somebodyIsThere(visitors, state);
      const shares = sharesBetween(visitors.shares, from, to);
      return { state, weights, shares, found: state.found, expected: `${shareInWords(to)} at the end` };
    },
  );
  if (weighed(visitors, weights) === 0 && state.share === 0 && to > 0 && visitors.closed !== undefined)
    await run.check('A healthy answer of the service can be told from others', () =>
      run.control.closedIsTold({ visitors }),
    );
  return { visitors, weights, to, shares };
}

const looksEveryMs = 2_000;

/** As it is now, or as soon as one of the servers is up, at most so long. */
async function stateWithSomebody(
  run: Run,
  visitors: Visitors,
  { wanted, withinMs }: { wanted: boolean; withinMs: number },
): Promise<VisitorsState> {
  const until = Date.now() + withinMs;
  for (;;) {
    const state = await run.control.visitorsState({ visitors });
    if (!wanted || isThere(visitors, state) || Date.now() >= until) return state;
    await sleep(looksEveryMs);
  }
}

function isThere(visitors: Visitors, { servers }: VisitorsState): boolean {
  return servers.some(({ server, up, takenOut }) => visitors.servers.includes(server) && up && !takenOut);
}

function somebodyIsThere(visitors: Visitors, state: VisitorsState): void {
  if (isThere(visitors, state)) return;
  const own = state.servers.filter(({ server }) => visitors.servers.includes(server));
  const words = own.map(({ server, takenOut }) => `${server} is ${takenOut ? 'taken out' : 'down'}`).join(', ');
  throw failure(
    'VisitorsFail',
    `nobody can be led to the service: in the load balancer ${words}, expected at least one that is up. See why its check fails (or set it ready), then start again.`,
  );
}

/**
 * Leads visitors there, each share watched for the plan's soak. What is not served well is taken back at once to the share before, which stays.
 *
 * @param led of an assessment that was made just before; else it is made here
 */
export async function shiftTraffic(run: Run, led?: Led): Promise<void> {
  const now = led ?? (await assessVisitors(run));
  if (now === undefined) return run.notePhase('traffic', without);
  const { visitors, shares } = now;
  let { weights } = now;
  for (const share of shares) {
    const { after } = await run.change(nameOf(share), ledTo(run, visitors, share, weights));
    weights = after;
  }
  if (shares.length > 0) await whoIsLeftBehind(run, visitors, weights);
}

/** Leads all visitors away for as long as the run needs: whatever takes it back gives them back too. */
export async function leadAway(run: Run, { visitors, weights, shares }: Led): Promise<void> {
  for (const share of shares) {
    const { onceDone: _stays, ...change } = ledTo(run, visitors, share, weights);
    await run.change(nameOf(share), change);
  }
}

/** How they would be led once they were led away: in a dry run they were not. */
export function fromNobody({ visitors, weights }: Led): Led {
  const { servers, shares } = visitors;
  const none = Object.keys(weights).map((server) => [server, servers.includes(server) ? 0 : 1]);
  return {
    visitors,
    weights: Object.fromEntries(none),
    to: 100,
    shares: sharesBetween(shares, 0, 100),
  };
}

function nameOf(share: number): string {
  if (share === 0) return 'Lead no visitors to the service';
  return share === 100
    ? 'Lead all visitors to the service'
    : `Lead ${shareInWords(share)} of the visitors to the service`;
}

/** Of the servers that the plan names. */
function weightsOf({ servers, closed }: Visitors, { servers: found }: VisitorsState): Weights {
  const known = found.filter(({ server }) => servers.includes(server) || server === closed);
  return Object.fromEntries(known.map(({ server, weight }) => [server, weight]));
}

/** Percent, by the weights alone: a server that is down comes back. */
function weighed(visitors: Visitors, weights: Weights): number {
  const all = Object.entries(weights).map(([server, weight]) => ({
    ...{ server, weight, configured: weight, sessions: 0 },
    ...{ up: true, takenOut: false, backup: false },
  }));
  return shareOf(visitors, all);
}

interface Way extends Found {
  after: Weights;
}

/** @param before the weights as they were seen, or as the share before has left them: whoever has set others meanwhile is not overruled */
function ledTo(run: Run, visitors: Visitors, share: number, before: Weights): Change<Way> {
  const rises = share > weighed(visitors, before);
  return {
    preview: async () => {
      const { servers } = await run.control.visitorsState({ visitors });
      const after = weightsFor(visitors, servers, share);
      // In a dry run the shares before it were not given.
      const others = run.mode === 'dry-run' ? [] : setByOthers(servers, before, after);
      if (others.length > 0)
        throw failure(
          'Moved',
          `${others.map(({ server, weight }) => `${server} has weight ${weight}`).join(', ')}, expected ${weightsInWords(before)}: somebody else leads visitors too. Find out who, then start again.`,
        );
      const will = willLead(visitors, share, after, before, rises);
      return { will, ...(rises ? { takesMs: visitors.soak } : {}), yields: { after, found: will } };
    },
    apply: async ({ yields: { after } }) => {
      const { found } = await run.control.leadVisitors({ visitors, before, after });
      if (!rises) return { after, found, expected: `${shareInWords(share)} of the visitors` };
      return { after, ...(await soaked(run, visitors, { before, after, share })) };
    },
    undo: ({ yields: { after } }) => run.control.leadVisitors({ visitors, before: after, after: before }),
    onceDone: { pointOfNoReturn: `${shareInWords(share)} of the visitors are led to the service, and stay there.` },
  };
}

function willLead(
  { servers, soak, stopWhen }: Visitors,
  share: number,
  after: Weights,
  before: Weights,
  rises: boolean,
) {
  const then = rises
    ? `watched for ${formatDuration(soak)}; back to ${weightsInWords(before)} when more than ${stopWhen.errors} % fail, or one in twenty takes longer than ${formatDuration(stopWhen.latency)}`
    : 'sessions that are open go on';
  return `lead ${shareInWords(share)} of the visitors to ${servers.join(', ')} (weights ${weightsInWords(after)}); ${then}`;
}

interface Soaking {
  before: Weights;
  after: Weights;
  share: number;
}

/** Whoever has started it may be away: visitors are not left where they are not served well until somebody has decided. */
async function soaked(run: Run, visitors: Visitors, { before, after, share }: Soaking): Promise<Found> {
  const control = run.controlWithin(attempts, visitors.soak + besideASoakMs);
  try {
    const soak = await control.soakVisitors({ visitors, weights: after });
    if (soak.p95Ms !== undefined)
      run.measure(
        `answers at ${shareInWords(share)}, p95`,
        soak.p95Ms,
        'ms',
        `asked from outside ${soak.probes} times`,
      );
    return soak;
  } catch (error) {
    const { type, message } = failureOf(error);
    if (type === 'Cancelled' || type === 'Moved') throw error;
    const back = await run.control.leadVisitors({ visitors, before: after, after: before }).then(
      (state) => `Led back: ${shareInWords(state.share)} of the visitors come to the service, as before.`,
      (why: unknown) => `They could not be led back: ${failureOf(why).message}`,
    );
    if (type === 'VisitorsFail') throw failure('VisitorsFail', `${message} ${back}`);
    throw error;
  }
}

/** To take a server away cuts off whoever is still on it. */
async function whoIsLeftBehind(run: Run, visitors: Visitors, weights: Weights): Promise<void> {
  const empty = Object.keys(weights).filter((server) => weights[server] === 0);
  if (empty.length === 0) return;
  await run.prove(
    `No visitor is left on ${empty.join(', ')}`,
    () => run.control.visitorsGone({ visitors, servers: empty, withinMs: visitors.soak }),
    { yields: undefined },
  );
}
