/** Switchovers of the pair in memory, with people who agree at once. */
import type { WorkflowHandle } from '@temporalio/client';
import type { Evidence } from '../../evidence/evidence.ts';
import { until } from '../../lab/until.ts';
import type { SwitchoverInput } from '../../workflows/messages.ts';
import { FakeEstate } from './fake-estate.ts';
import type { Rig } from './rig.ts';

/** All that a switchover locks. */
export const locks = ['lifeboat-host/db1', 'lifeboat-host/db2', 'lifeboat-lock/orders'];

/** One yes of the group is enough, and needs no signature; who has started the run is not known for certain, so it takes two. */
export function estateWithPeople(): FakeEstate {
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

export async function switchOver(rig: Rig, estate: FakeEstate, input: SwitchoverInput = {}): Promise<Evidence> {
  const handle = await rig.start(estate, 'switchover', [{ mode: 'live', requestedBy: 'cara', ...input }]);
  // Time is skipped only while somebody waits for the end: people would be late.
  await approved(handle);
  await handle.result().catch(() => undefined);
  const [evidence] = estate.written;
  if (evidence === undefined) throw new Error('no evidence was written');
  return evidence;
}

/** By two people, as soon as it is asked; a run that ends before is not asked for anything. */
export async function approved(handle: WorkflowHandle): Promise<void> {
  const open = await until({ what: 'people to be asked, or the end', withinMs: 60_000 }, async () => {
    if ((await handle.describe()).status.name !== 'RUNNING') return 'ended';
    const { approvals = [] } = await handle.query<Evidence>('evidence');
    return approvals.find(({ closedAt }) => closedAt === undefined);
  });
  if (open === 'ended') return;
  for (const by of ['ana', 'ben'])
    await handle.signal('approve', { by, approval: open.id, code: open.code, channel: 'automation' });
}

/** The pair as it was before anything was changed. */
export const asBefore = {
  door: 'db1',
  servers: {
    db1: { running: true, role: 'primary', timeline: 1, slots: ['db2'] },
    db2: { role: 'standby', timeline: 1, slots: [] },
  },
};
