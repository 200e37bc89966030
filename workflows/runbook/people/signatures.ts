/** Who has signed a message. The clock has no part in it: codes and nonces tell old from new. */
import { CancellationScope } from '@temporalio/workflow';
import type { Click } from '../../../evidence/people.ts';
import { type Signature, type Statement, statementText } from '../../../evidence/signing.ts';
import { failureOf } from '../failure.ts';
import { inStep, newStep } from '../step.ts';
import type { House } from './house.ts';

export interface Signed {
  signed: Click['signed'];
  /** Why the message cannot count, whatever it says. */
  objection?: string;
}

/** @param id of the activity that looks, unique in the run */
export async function whoSigned(
  { plan, control }: Pick<House, 'plan' | 'control'>,
  id: string,
  statement: Statement,
  signature: Signature | 'malformed' | undefined,
): Promise<Signed> {
  // A plan without people knows no key; nothing that is asked there depends on one.
  if (signature === undefined) return { signed: 'no' };
  if (plan.people === undefined) return { signed: 'unchecked' };
  if (signature === 'malformed') return forged('the signature is not one: it has "as", "key" and "value"');
  const { as, key } = signature;
  const { persons, slack } = plan.people;
  // A stranger's signature is worth as much as none.
  if (!Object.hasOwn(persons, statement.by)) return { signed: 'unchecked' };
  const known = (as === 'gateway' ? slack?.gatewayKeys : persons[statement.by]?.keys) ?? [];
  if (!known.includes(key))
    return forged(
      as === 'gateway'
        ? 'its key is not one of the gateway (people.slack.gatewayKeys)'
        : `its key is not one of "${statement.by}" in the plan (people.persons.${statement.by}.keys)`,
    );
  try {
    // Not stopped by a cancel: whoever has sent the message is answered all the same.
    const { holds } = await CancellationScope.nonCancellable(() =>
      inStep(newStep(id, `Who has signed: ${statement.by}`), () =>
        control.verifySignature({ text: statementText(statement), signature }),
      ),
    );
    return holds ? { signed: as } : forged('the signature does not fit what was said');
  } catch (error) {
    return {
      signed: 'unchecked',
      objection: `its signature could not be looked at (${failureOf(error).message}); send it again`,
    };
  }
}

function forged(objection: string): Signed {
  return { signed: 'forged', objection };
}
