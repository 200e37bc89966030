/** Whom a run waits for: what is open, who has said what, who can still say something. Pure, for all who show it. */
import { isAgreed, rejecters, type Stand, stands } from './approvals.ts';
import type { Evidence } from './evidence.ts';
import type { Approval, Asked, Decision, DecisionAction } from './people.ts';

export interface Awaited {
  kind: 'approval' | 'decision';
  /** Step id. */
  id: string;
  name: string;
  code: string;
  /** Groups that are asked by now, the first one first. */
  groups: string[];
  /** Different people that are needed. */
  quorum: number;
  /** Who has said yes, or chosen an alternative. */
  yes: Stand[];
  /** How many of them agree. */
  agree: number;
  /** They are enough, and the facts are being read once more before it counts: nobody is waited for. */
  agreed: boolean;
  no: string[];
  /** Of a decision: what may be said. */
  offers?: DecisionAction[];
  /** Who is asked and has not answered. */
  waitsFor: string[];
  since: string;
  until: string;
}

export function openApprovals({ approvals = [] }: Pick<Evidence, 'approvals'>): Approval[] {
  return approvals.filter(({ closedAt }) => closedAt === undefined);
}

export function openDecisions({ decisions = [] }: Pick<Evidence, 'decisions'>): Decision[] {
  return decisions.filter(({ closedAt }) => closedAt === undefined);
}

/** In the order of asking. */
export function awaitedOf(evidence: Pick<Evidence, 'approvals' | 'decisions' | 'endedAt'>): Awaited[] {
  if (evidence.endedAt !== undefined) return [];
  return [...openApprovals(evidence).map(ofApproval), ...openDecisions(evidence).map(ofDecision)].sort((a, b) =>
    a.since.localeCompare(b.since),
  );
}

function ofApproval(approval: Approval): Awaited {
  const { id, name, code, quorum, asked, openedAt } = approval;
  const no = rejecters(approval);
  const yes = stands(approval).filter(({ by }) => !no.includes(by));
  const answered = [...no, ...yes.map(({ by }) => by)];
  return {
    kind: 'approval',
    id,
    name,
    code,
    quorum,
    yes,
    agree: agreeing(yes),
    agreed: isAgreed(approval),
    no,
    ...askedNow(asked, answered),
    ...(isAgreed(approval) ? { waitsFor: [] } : {}),
    since: openedAt,
  };
}

function agreeing(yes: readonly Stand[]): number {
  const same = (a: Stand, b: Stand) => a.choice === b.choice && a.value === b.value;
  return Math.max(0, ...yes.map((one) => yes.filter((other) => same(one, other)).length));
}

function ofDecision({ step, name, code, asked, offers, openedAt }: Decision): Awaited {
  const nobody = { yes: [], agree: 0, agreed: false, no: [] };
  return {
    kind: 'decision',
    id: step,
    name,
    code,
    quorum: 1,
    offers,
    ...nobody,
    ...askedNow(asked, []),
    since: openedAt,
  };
}

function askedNow(asked: readonly Asked[], answered: string[]): Pick<Awaited, 'groups' | 'waitsFor' | 'until'> {
  const newest = asked.at(-1);
  return {
    groups: asked.map(({ group }) => group),
    waitsFor: (newest?.people ?? []).filter((person) => !answered.includes(person)),
    until: newest?.until ?? '',
  };
}
