/** Who has started the run, and whether that is certain: others must answer for it. */
import type { Evidence } from '../../../evidence/evidence.ts';
import { named } from '../../../evidence/persons.ts';
import { startStatement } from '../../../evidence/statements.ts';
import { bySchedule, type RunInput } from '../../messages.ts';
import type { Steps } from '../steps.ts';
import { type House, personsOf } from './house.ts';
import { whoSigned } from './signatures.ts';

/** @param given the input as it came, which is what was signed */
export async function identifyRequester(house: House, steps: Steps, given: RunInput): Promise<void> {
  const { plan, record } = house;
  if (plan.people === undefined) return;
  const { requestedBy, requestSignature } = given;
  const persons = personsOf(plan);
  if (requestedBy === undefined || !Object.hasOwn(persons, requestedBy)) {
    record.evidence.requester = { certain: false, how: unknown(requestedBy) };
    return;
  }
  if (requestSignature === undefined) {
    record.evidence.requester = { person: requestedBy, certain: false, how: 'not signed' };
    return;
  }
  const { requester } = await steps.take('Who has started the run', 'record', async (step) => {
    const statement = startStatement(record.evidence.run, requestedBy, given);
    const { signed, objection } = await whoSigned(house, step.id, statement, requestSignature);
    const certain = signed === 'person' || signed === 'gateway';
    const name = named(persons, [requestedBy]);
    const how = certain
      ? signed === 'person'
        ? `signed by ${name}`
        : `the Slack gateway vouches for ${name}`
      : `not certain: ${objection}`;
    const requester: NonNullable<Evidence['requester']> = { person: requestedBy, certain, how };
    return { state: 'done', result: { requester, found: `${name}, ${how}` } };
  });
  record.evidence.requester = requester;
}

function unknown(requestedBy: string | undefined): string {
  if (requestedBy === undefined) return 'nobody has said who';
  return requestedBy === bySchedule ? 'a schedule' : `"${requestedBy}" is nobody of the plan`;
}
