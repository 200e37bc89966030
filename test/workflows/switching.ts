/** Switchovers of the pair in memory, with people who agree at once. */
import type { Evidence } from '../../evidence/evidence.ts';
import type { SwitchoverInput } from '../../workflows/messages.ts';
import { approved, evidenceAtEnd } from './asking.ts';
import type { FakeEstate } from './fake-estate.ts';
import type { Rig } from './rig.ts';

/** All that a switchover locks. */
export const locks = ['lifeboat-host/db1', 'lifeboat-host/db2', 'lifeboat-lock/orders'];

export async function switchOver(rig: Rig, estate: FakeEstate, input: SwitchoverInput = {}): Promise<Evidence> {
  const handle = await rig.start(estate, 'switchover', [{ mode: 'live', requestedBy: 'cara', ...input }]);
  // Time is skipped only while somebody waits for the end: people would be late.
  await approved(handle);
  return evidenceAtEnd(handle, estate);
}

/** The pair as it was before anything was changed. */
export const asBefore = {
  door: 'db1',
  servers: {
    db1: { running: true, role: 'primary', timeline: 1, slots: ['db2'] },
    db2: { role: 'standby', timeline: 1, slots: [] },
  },
};
