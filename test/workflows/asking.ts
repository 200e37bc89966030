/** Estates that ask people before their servers are changed, and people who say yes. */
import type { WorkflowHandle } from '@temporalio/client';
import type { Evidence } from '../../evidence/evidence.ts';
import type { Approval } from '../../evidence/people.ts';
import { until } from '../../lab/until.ts';
import { FakeEstate } from './fake-estate.ts';

/** One yes of the group is enough, and needs no signature; who has started the run is not known for certain, so it takes two. */
export function estateThatAsks(): FakeEstate {
  const estate = new FakeEstate();
  const { plan } = estate;
  plan.database.replication = { user: 'replicator', passfile: '/srv/pgpass', options: {} };
  for (const member of plan.database.members) member.control = { kind: 'pg_ctl' };
  const persons = Object.fromEntries(['ana', 'ben', 'cara'].map((id) => [id, { name: id, keys: [] }]));
  plan.people = {
    persons,
    groups: { dba: Object.keys(persons) },
    approvals: {
      default: {
        group: 'dba',
        quorum: 1,
        deadline: 15 * 60_000,
        warnBefore: 5 * 60_000,
        onExpiry: 'deny',
        escalateTo: [],
      },
    },
    unsigned: 'allowed',
    status: { every: 30 * 60_000 },
  };
  estate.pair.tables = estate.anchors[0]?.tables ?? [];
  return estate;
}

/** What is asked, as soon as something is; undefined when the run has ended. */
export async function openOrEnded(handle: WorkflowHandle): Promise<Approval | undefined> {
  const open = await until({ what: 'people to be asked, or the end', withinMs: 60_000 }, async () => {
    if ((await handle.describe()).status.name !== 'RUNNING') return 'ended';
    const { approvals = [] } = await handle.query<Evidence>('evidence');
    return approvals.find(({ closedAt }) => closedAt === undefined);
  });
  return open === 'ended' ? undefined : open;
}

/** By two people, as soon as it is asked; a run that ends before is not asked for anything. */
export async function approved(handle: WorkflowHandle): Promise<void> {
  const open = await openOrEnded(handle);
  if (open === undefined) return;
  for (const by of ['ana', 'ben'])
    await handle.signal('approve', { by, approval: open.id, code: open.code, channel: 'automation' });
}

/** Ana and Ben say yes to everything that is asked, until the run has ended. */
export async function agreed(handle: WorkflowHandle): Promise<void> {
  const said = new Set<string>();
  await until({ what: 'the end of the run', withinMs: 150_000 }, async () => {
    if ((await handle.describe()).status.name !== 'RUNNING') return true;
    const { approvals = [] } = await handle.query<Evidence>('evidence');
    const open = approvals.find(({ closedAt, code }) => closedAt === undefined && !said.has(code));
    if (open === undefined) return false;
    said.add(open.code);
    for (const by of ['ana', 'ben'])
      await handle.signal('approve', { by, approval: open.id, code: open.code, channel: 'automation' });
    return false;
  });
}

/** However it ended. */
export async function evidenceAtEnd(handle: WorkflowHandle, { written }: FakeEstate): Promise<Evidence> {
  await handle.result().catch(() => undefined);
  const [evidence] = written;
  if (evidence === undefined) throw new Error('no evidence was written');
  return evidence;
}
