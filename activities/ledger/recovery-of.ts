import type { LedgerControlReads } from '../contract-of-ledger.ts';
import { readEvidence } from '../evidence/store.ts';
import { failure } from '../failure.ts';
import { queried } from '../sweep/traces.ts';

type Ask = Parameters<LedgerControlReads['recoveryOf']>[0];

/** From its history or, when Temporal has that no longer, from its evidence. */
export async function recoveryOf(ask: Ask): ReturnType<LedgerControlReads['recoveryOf']> {
  const evidence = (await queried(ask.run)) ?? (await readEvidence(ask.store, ask.service, ask.run));
  const wrong = (why: string) =>
    failure('InputInvalid', `${ask.run} ${why}; expected a recovery in place of ${ask.service} that has ended.`);
  if (evidence === undefined) throw wrong('is not known, neither to Temporal nor to the evidence store');
  const { service, runbook, mode, outcome, setAside = [], startedAt } = evidence;
  if (service !== ask.service) throw wrong(`is of service ${service}`);
  if (outcome === 'running') throw wrong('goes on');
  if (setAside.length === 0) throw wrong(`is a ${runbook} (${mode}), which ended ${outcome} and has set nothing aside`);
  return {
    setAside,
    startedAt,
    outcome,
    found: `${ask.run} ended ${outcome} and has set aside ${setAside.map(({ host, directory }) => `${directory} on ${host}`).join(', ')}`,
    expected: 'a recovery that has ended, and what it has set aside',
  };
}
