/** People of an estate who agree as soon as they are asked. */
import type { WorkflowHandle } from '@temporalio/client';
import type { Evidence } from '../../evidence/evidence.ts';
import type { EstateOptions } from '../../lab/estate.ts';
import { Hopeless, until } from '../../lab/until.ts';
import { approveUpdate, evidenceQuery } from '../../workflows/messages.ts';

/** Two people of three say yes: who starts a run from here is not known for certain. */
export const withPeople = { people: { quorum: 1, unsigned: 'allowed' } } as const satisfies Partial<EstateOptions>;

/** Two people say yes as soon as they are asked; again, when the engine was away. */
export async function sayYes(handle: WorkflowHandle, people: readonly string[] = ['ana', 'ben']): Promise<void> {
  await until({ what: `a yes for ${handle.workflowId}`, withinMs: 240_000, everyMs: 100 }, async () => {
    const evidence = await handle.query<Evidence>(evidenceQuery).catch(() => undefined);
    if (evidence === undefined) return false;
    const [approval] = evidence.approvals ?? [];
    if (approval?.outcome !== undefined || evidence.outcome !== 'running') return true;
    if (approval === undefined) return false;
    const { id, code } = approval;
    for (const by of people)
      await handle
        .executeUpdate(approveUpdate, { args: [{ by, approval: id, code, channel: 'cli' }] })
        .catch(() => undefined);
    return false;
  });
}

/** Two people say yes to everything that is asked, until the run has ended. @throws Error a step has failed, and waits for people */
export async function sayYesToAll(handle: WorkflowHandle, people: readonly string[] = ['ana', 'ben']): Promise<void> {
  const said = new Set<string>();
  await until({ what: `the end of ${handle.workflowId}`, withinMs: 280_000, everyMs: 100 }, async () => {
    const evidence = await handle.query<Evidence>(evidenceQuery).catch(() => undefined);
    if (evidence === undefined) return false;
    const { approvals = [], decisions = [], outcome } = evidence;
    if (outcome !== 'running') return true;
    const failed = decisions.find(({ closedAt }) => closedAt === undefined);
    if (failed !== undefined)
      throw new Hopeless(`${failed.name} waits for people: ${failed.failure.type}: ${failed.failure.message}`);
    for (const { id, code } of approvals.filter((one) => one.outcome === undefined && !said.has(one.code))) {
      said.add(code);
      for (const by of people)
        await handle.executeUpdate(approveUpdate, { args: [{ by, approval: id, code, channel: 'cli' }] });
    }
    return false;
  });
}
