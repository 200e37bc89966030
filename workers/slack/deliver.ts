/** One click: who it is, what they sign, what the run says to it. */
import type { KeyObject } from 'node:crypto';
import { signed } from '../../activities/people/keys.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import type { Signature, Statement } from '../../evidence/signing.ts';
import { abortStatement, approvalStatement, decisionStatement } from '../../evidence/statements.ts';
import type { Message } from '../../workflows/messages.ts';
import type { ClickEnd, SlackClick } from './click.ts';
import { type Persons, personOf } from './persons.ts';
import { type Runs, silenceOf } from './runs.ts';

export interface Delivery {
  persons: Pick<Persons, 'planOf'>;
  runs: Pick<Runs, 'evidence' | 'send'>;
  key: KeyObject;
}

/** Nobody answered: the click has to be delivered again, under the same id. */
export interface Silent {
  silent: string;
}

export async function deliver(click: SlackClick, { persons, runs, key }: Delivery): Promise<ClickEnd | Silent> {
  const { run, user } = click;
  let evidence: Evidence | undefined;
  try {
    evidence = await runs.evidence(run);
  } catch (error) {
    return silenced(error);
  }
  if (evidence === undefined)
    return { outcome: 'too-late', said: `Nothing is known of run ${run} any more. This click did nothing.` };
  const plan = await persons.planOf(evidence.service);
  if (plan === undefined)
    return {
      outcome: 'undelivered',
      said: `This gateway has no plan of ${evidence.service} that it can read, and so does not know who you are. Use the command line: lifeboat status.`,
    };
  const person = personOf(plan, user);
  if (person === undefined)
    return {
      outcome: 'stranger',
      said: `You (Slack member ${user}) are no person of the plan of ${evidence.service}, so this click did nothing. Who should be one is added to the plan, under people.persons, with slack: ${user}.`,
    };
  const signature = statementOf(click, evidence, person);
  const message = messageOf(click, person, signature && signed(signature, key, 'gateway'));
  const reply = await runs.send(run, message, `slack-${click.key}`);
  switch (reply.kind) {
    case 'answered':
      return { outcome: 'counted', said: reply.words, person };
    case 'refused':
      return { outcome: 'refused', said: reply.words, person };
    case 'over':
      return { outcome: 'too-late', said: tooLate(evidence), person };
    case 'silent':
      return { silent: reply.why };
  }
}

function silenced(error: unknown): Silent {
  const why = silenceOf(error);
  if (why === undefined) throw error;
  return { silent: why };
}

function tooLate({ run, outcome, endedAt }: Evidence): string {
  const how = endedAt === undefined ? 'is not running any more' : `has ended (${outcome})`;
  return `Run ${run} ${how}. This click came too late and did nothing.`;
}

/**
 * What the gateway vouches for. `undefined` when the run does not ask this, or not any more: then there is nothing to sign, and the run
 * refuses the click in its own words.
 */
function statementOf({ meaning, reason }: SlackClick, evidence: Evidence, by: string): Statement | undefined {
  const said = { by, ...(reason === undefined ? {} : { reason }) };
  switch (meaning.kind) {
    case 'abort':
      return abortStatement(evidence, meaning.code, said);
    case 'decide': {
      const decision = evidence.decisions?.find(({ step, code }) => step === meaning.about && code === meaning.code);
      return decision && decisionStatement(evidence, decision, { ...said, action: meaning.action });
    }
    case 'reject':
    case 'approve': {
      const approval = evidence.approvals?.find(({ id, code }) => id === meaning.about && code === meaning.code);
      const choice = meaning.kind === 'reject' ? 'reject' : (meaning.choice ?? 'approve');
      const value = meaning.kind === 'approve' ? meaning.value : undefined;
      return approval && approvalStatement(evidence, approval, { ...said, choice, value });
    }
  }
}

function messageOf({ meaning, reason }: SlackClick, by: string, signature: Signature | undefined): Message {
  const said = {
    by,
    channel: 'slack' as const,
    ...(reason === undefined ? {} : { reason }),
    ...(signature === undefined ? {} : { signature }),
  };
  switch (meaning.kind) {
    case 'abort':
      return { kind: 'abort', click: { ...said, code: meaning.code } };
    case 'decide':
      return { kind: 'decide', click: { ...said, step: meaning.about, code: meaning.code, action: meaning.action } };
    case 'reject':
      return { kind: 'reject', click: { ...said, approval: meaning.about, code: meaning.code } };
    case 'approve':
      return {
        kind: 'approve',
        click: {
          ...said,
          approval: meaning.about,
          code: meaning.code,
          ...(meaning.choice === undefined ? {} : { choice: meaning.choice }),
          ...(meaning.value === undefined ? {} : { value: meaning.value }),
        },
      };
  }
}
