/** How it is made sure that the old primary cannot write any more: by what the plan allows, in the plan's order. */
import type { CommandFence } from '../../../activities/contract.ts';
import type { Found } from '../../../activities/shapes.ts';
import type { Fence, Member } from '../../../plan/schema.ts';
import { reachedFrom } from '../../../plan/sites.ts';
import { hostQueue } from '../../messages.ts';
import type { Change } from '../../runbook/change.ts';
import { failure } from '../../runbook/failure.ts';
import type { FailoverRun, Lost } from './lost.ts';
import { isNotBack, type Seen } from './vantage.ts';

const stopsWithinMs = 20_000;
const startsWithinMs = 60_000;
/** The old primary's host may die at any moment; nobody can write while it is waited for. */
const answersWithinMs = 15_000;
const attempts = 3;

/** Without a word in the plan: what Lifeboat can prove by itself. */
const usual: readonly Fence[] = [{ kind: 'postgres' }];

/** @throws NotFenced none of them can be used */
export async function chooseFence(run: FailoverRun, from: Member, { own }: Seen): Promise<Found & { fence: Fence }> {
  const against: string[] = [];
  for (const fence of run.plan.failover?.fencing ?? usual) {
    const why = await whyNot(run, fence, from, own);
    if (why === undefined)
      return {
        fence,
        found: `${inWords(fence, from)}${against.length === 0 ? '' : `. Not ${against.join('; not ')}`}`,
        expected: 'a way to make sure that it cannot write',
      };
    against.push(`${fence.kind}: ${why}`);
  }
  throw failure(
    'NotFenced',
    `nothing can make sure that ${from.host} does not write: ${against.join('; ')}. Bring its host worker back, or add to the plan failover.fencing a command that cuts it off, or attestation, by which a person says that it is off.`,
  );
}

async function whyNot(
  run: FailoverRun,
  fence: Fence,
  { host, control }: Member,
  own: Seen['own'],
): Promise<string | undefined> {
  if (fence.kind === 'attestation') {
    if (own === 'primary' || own === 'unknown') return `the host worker of ${host} says that a server runs there`;
    return run.plan.people === undefined ? 'the plan names no people who could attest it' : undefined;
  }
  if (fence.kind === 'postgres') {
    if (own === 'silent') return `no host worker answers on ${host}`;
    return control === undefined ? `the plan does not say how the server on ${host} is stopped (control)` : undefined;
  }
  if (fence.host === host) return `its command would run on ${host} itself, which is what it is to cut off`;
  const { polls } = await run.control.somebodyPolls({ queue: hostQueue(fence.host) });
  return polls ? undefined : `no host worker answers on ${fence.host}`;
}

export function inWords(fence: Fence, { host }: Member): string {
  switch (fence.kind) {
    case 'postgres':
      return `the host worker of ${host} stops its server, and lets it start as a standby only`;
    case 'command':
      return `${fence.fence.join(' ')} on ${fence.host}, read back by ${fence.confirm.join(' ')}`;
    case 'attestation':
      return `a person attests that ${host} is off`;
  }
}

/** What each kind can stop, and what it cannot: said before anybody approves it. */
export function limitsOf(fence: Fence, { host }: Member): string {
  return {
    postgres: `the server on ${host} and whoever starts it again in its data directory; not one that is started on a copy of it`,
    command: `what the plan's own command cuts off; Lifeboat has only its word, and what it reads back`,
    attestation: `nothing: it rests on what a person has seen. If ${host} comes back as a primary, there are two histories`,
  }[fence.kind];
}

export async function fenceOff(run: FailoverRun, lost: Lost): Promise<void> {
  const { fence } = lost;
  if (fence.kind === 'postgres') await run.change('Fence the old primary', byItsHost(run, lost));
  if (fence.kind === 'command') await run.change('Cut the old primary off', byCommand(run, lost, fence));
}

interface Before {
  /** It ran as what may have been a primary. */
  ran: boolean;
  /** It could only start as a standby already. */
  standbyOnly: boolean;
}

function byItsHost(run: FailoverRun, { from, timeline }: Lost): Change<Before> {
  const host = () => run.hostIfThere(from.host, answersWithinMs, attempts);
  return {
    urgent: true,
    preview: async () => {
      // Asked before it is fenced: a second attempt finds it stopped by the first one.
      const { role, standbyOnly } = await host().howItStands({ member: from });
      return {
        will: `write standby.signal on ${from.host}, end its server (in order, or else by force), and look that no process of it is left`,
        yields: { ran: role === 'primary' || role === 'unknown', standbyOnly },
      };
    },
    apply: async ({ yields }) => {
      const fenced = await host().fenceServer({ member: from, withinMs: stopsWithinMs });
      return { ...fenced, ...yields };
    },
    undo: ({ yields: { ran, standbyOnly } }) =>
      standbyOnly
        ? Promise.resolve({ found: `${from.host} could only start as a standby before, and is left so` })
        : host().unfenceServer({ member: from, ran, timeline, withinMs: startsWithinMs }),
  };
}

type ByCommand = Extract<Fence, { kind: 'command' }>;

function commandsOf(run: FailoverRun, from: Member, { host, fence, confirm, within }: ByCommand): CommandFence {
  return { host, victim: reachedFrom(run.plan, from, host), fence, confirm, withinMs: within };
}

function byCommand(run: FailoverRun, { from }: Lost, fence: ByCommand): Change<unknown> {
  return {
    urgent: true,
    preview: async () => ({ will: `run ${inWords(fence, from)}`, yields: undefined }),
    apply: () => run.host(fence.host, 2).fenceByCommand(commandsOf(run, from, fence)),
    undo: {
      pointOfNoReturn: `${from.host} stays cut off: give it its power back by hand, once it is certain that nobody was promoted, or let it start as a standby only.`,
    },
  };
}

/** Between the fence and the promotion people may have taken hours. @throws NotFenced */
export async function stillFenced(run: FailoverRun, { from, fence }: Lost): Promise<void> {
  if (fence.kind === 'command') await run.host(fence.host, 2).confirmFence(commandsOf(run, from, fence));
  await isNotBack(run, from);
}
