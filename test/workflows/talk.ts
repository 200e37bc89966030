/** People who talk to a run: they look at what it asks, and answer as the CLI does. */
import { type WorkflowHandle, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { Evidence } from '../../evidence/evidence.ts';
import type { AbortPlan, Approval, Decision } from '../../evidence/people.ts';
import type { Signature } from '../../evidence/signing.ts';
import { until } from '../../lab/until.ts';
import type { People } from '../../plan/people.ts';
import { FakeEstate } from './fake-estate.ts';

const minute = 60_000;
const hour = 60 * minute;

/** One letter repeated: which key it is can be seen, and no test here signs with it. */
const keyOf = (letter: string): string => `ed25519:${letter.repeat(43)}=`;

const people: People = {
  persons: {
    ana: { name: 'Ana', keys: [keyOf('A')] },
    ben: { name: 'Ben', keys: [keyOf('B')], slack: 'U02' },
    cem: { name: 'Cem', keys: [keyOf('C')] },
    dora: { name: 'Dora', keys: [keyOf('D')] },
    eve: { name: 'Eve', keys: [keyOf('E')] },
  },
  groups: { dba: ['ana', 'ben', 'cem'], lead: ['dora', 'ana'], office: ['eve', 'cem', 'dora'] },
  approvals: { default: { group: 'dba', quorum: 2, deadline: 15 * minute, onExpiry: 'deny', escalateTo: [] } },
  decisions: { group: 'dba', deadline: 8 * hour, escalate: [{ after: 30 * minute, group: 'lead' }] },
  unsigned: 'refused',
  status: { every: 30 * minute },
  slack: { token: '$' + '{env:SLACK}', gatewayKeys: [keyOf('G')] },
};

/** An estate whose plan has people. @param rule what is asked otherwise than usual */
export function estateWithPeople(
  rule: Partial<People['approvals'][string]> = {},
  more: Partial<Omit<People, 'approvals'>> = {},
): FakeEstate {
  const estate = new FakeEstate();
  const approvals = { default: { ...people.approvals.default, ...rule } } as People['approvals'];
  estate.plan.people = structuredClone({ ...people, ...more, approvals });
  return estate;
}

const letters: Record<string, string> = { ana: 'A', ben: 'B', cem: 'C', dora: 'D', eve: 'E' };

/** A signature that holds: the estate takes this one value for signed. */
export function signedBy(person: string): Signature {
  return { as: 'person', key: keyOf(letters[person] ?? 'X'), value: 'c2lnbmVk' };
}

export const byGateway: Signature = { as: 'gateway', key: keyOf('G'), value: 'c2lnbmVk' };

/** Of a live run that Cem has started for certain. */
export const started = { mode: 'live', requestedBy: 'cem', requestSignature: signedBy('cem') } as const;

interface Answered {
  refused: boolean;
  said: string;
}

export class Talk {
  readonly run: WorkflowHandle;

  constructor(run: WorkflowHandle) {
    this.run = run;
  }

  evidence(): Promise<Evidence> {
    return this.run.query<Evidence>('evidence');
  }

  /** The approval that is open now; of this round, when one is named. */
  async asked(round?: number): Promise<Approval> {
    return until({ what: `the run to ask${round ? ` in round ${round}` : ''}`, withinMs: 30_000 }, async () =>
      (await this.#soFar())?.approvals?.find(
        (one) => one.outcome === undefined && (round === undefined || one.round === round),
      ),
    );
  }

  /** The failed step that waits now. */
  async failed(attempt?: number): Promise<Decision> {
    return until({ what: 'the run to ask about a failed step', withinMs: 30_000 }, async () =>
      (await this.#soFar())?.decisions?.find(
        (one) => one.closedAt === undefined && (attempt === undefined || one.attempt === attempt),
      ),
    );
  }

  async #soFar(): Promise<Evidence | undefined> {
    return this.evidence().catch(() => undefined);
  }

  /** A signed yes to what is asked now. */
  async approve(by: string, more: object = {}): Promise<Answered> {
    const { code } = await this.asked();
    return this.send('approve', { by, code, signature: signedBy(by), ...more });
  }

  async reject(by: string, more: object = {}): Promise<Answered> {
    const { code } = await this.asked();
    return this.send('reject', { by, code, signature: signedBy(by), ...more });
  }

  async decide(by: string, action: string, more: object = {}): Promise<Answered> {
    const { code } = await this.failed();
    return this.send('decide', { by, code, action, signature: signedBy(by), ...more });
  }

  abortPlan(): Promise<AbortPlan> {
    return this.run.query<AbortPlan>('abortPlan');
  }

  async abort(by: string, more: object = {}): Promise<Answered> {
    const { code } = await this.abortPlan();
    return this.send('abort', { by, code, signature: signedBy(by), ...more });
  }

  /** As the Temporal UI sends it, which may be anything. */
  async send(message: string, ...payload: unknown[]): Promise<Answered> {
    try {
      return {
        refused: false,
        said: await this.run.executeUpdate<string, [unknown]>(message, { args: payload as [unknown] }),
      };
    } catch (error) {
      const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
      if (!(cause instanceof ApplicationFailure) || cause.type !== 'Refused') throw error;
      return { refused: true, said: cause.message };
    }
  }

  /** The type of failure that the run ends with. */
  async endsWith(): Promise<string> {
    try {
      await this.run.result();
      return 'no failure';
    } catch (error) {
      const { cause } = error as { cause?: unknown };
      return cause instanceof ApplicationFailure ? String(cause.type) : String(cause);
    }
  }
}
