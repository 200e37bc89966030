/** Fencing by a person's word: signed, with what it was seen by, and believed for a time only. */
import type { Approval, Click, Subject } from '../../../evidence/people.ts';
import type { Member } from '../../../plan/schema.ts';
import { failure } from '../../runbook/failure.ts';
import type { FailoverRun, Fenced, Lost } from './lost.ts';

export const attestation = 'Attest that the primary is off';

/** Whoever has not read the form does not read it the third time either. */
const mostAsked = 3;

/** @throws NotFenced nobody has attested it in a way that counts @throws NotApproved */
export async function attest(run: FailoverRun, { from, fence }: Lost): Promise<Fenced> {
  if (fence.kind !== 'attestation') return {};
  for (let wrong: string | undefined, asked = 1; ; asked += 1) {
    const shown: Subject = {
      'say with --reason':
        'how you have seen it: the console, the provider, the ticket; "it does not answer" is not seen',
      'believed for': `${Math.round(fence.validFor / 60_000)} min`,
      ...(wrong === undefined ? {} : { 'the last answer did not count': wrong }),
    };
    await run.approval(attestation, async () => ({ subject: form(from), shown }));
    if (run.mode === 'dry-run') return {};
    const said = attestedBy(run.evidence.approvals);
    wrong = whyNotCounted(said);
    // Counted from when the first of them has looked.
    const seenAt = Math.min(...said.map(({ at }) => Date.parse(at)));
    if (wrong === undefined) return { until: new Date(seenAt + fence.validFor).toISOString() };
    if (asked === mostAsked)
      throw failure('NotFenced', `${from.host} counts as not fenced: ${wrong}. Nothing was changed.`);
  }
}

/** What is signed, sentence by sentence. */
function form({ host, dataDirectory, port }: Member): Subject {
  return {
    host,
    'data directory': dataDirectory,
    port,
    'I attest 1': `${host} is powered off or isolated, from its local applications and jobs too`,
    'I attest 2': 'neither a service manager nor a cluster manager can start it as a primary',
    'I attest 3': 'nobody gives it its power or its network back before Lifeboat has, as a standby',
    'I attest 4': 'I know that two histories exist if this is wrong',
  };
}

function attestedBy(approvals: readonly Approval[] = []): Click[] {
  const newest = approvals.findLast(({ name }) => name === attestation);
  return newest?.clicks.filter(({ counted, kind }) => counted && kind === 'approve') ?? [];
}

function whyNotCounted(counted: readonly Click[]): string | undefined {
  const unsigned = counted.filter(({ signed }) => signed === 'no' || signed === 'unchecked');
  if (unsigned.length > 0)
    return `${unsigned.map(({ by }) => by).join(' and ')} did not sign it, and what is not signed is no attestation, whatever the plan lets count elsewhere`;
  const silent = counted.filter(({ reason = '' }) => reason.trim() === '');
  if (silent.length > 0) return `${silent.map(({ by }) => by).join(' and ')} did not say how it was seen`;
  return counted.length === 0 ? 'nobody has attested it' : undefined;
}

/** @throws NotFenced it is too old by now */
export function stillHolds({ until }: Fenced, host: string): void {
  if (until === undefined || Date.now() <= Date.parse(until)) return;
  throw failure(
    'NotFenced',
    `the attestation that ${host} is off was believed until ${until}, and nothing was promoted by then. Look again, and start again.`,
  );
}
