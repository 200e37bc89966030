import { expect, test } from 'vitest';
import type { MembersResult } from '../../workflows/members.ts';
import { standingOf } from '../../workflows/members.ts';
import { estateThatAsks } from './asking.ts';
import { useRig } from './rig.ts';
import { apart } from './two-sites.ts';

const rig = useRig();

test('each member is told by its own host, with its site', async () => {
  const handle = await rig.start(apart(estateThatAsks()), 'members', [{}]);
  const found: MembersResult = await handle.result();
  expect(found).toMatchObject({ service: 'orders', verdict: 'well', facts: [] });
  expect(found.members).toMatchObject([
    { host: 'db1', site: 'east', role: 'primary', timeline: 1 },
    { host: 'db2', site: 'west', role: 'standby', timeline: 1 },
  ]);
});

test('a watch is answered once something is otherwise', async () => {
  const estate = estateThatAsks();
  const before: MembersResult = await (await rig.start(estate, 'members', [{}])).result();
  estate.before = (name) => {
    if (name === 'memberFacts' && estate.calls.filter((one) => one === name).length > 6)
      Object.assign(estate.pair.servers.db2, { role: 'primary', timeline: 2 });
  };
  const handle = await rig.start(estate, 'members', [{ known: standingOf(before) }]);
  const after: MembersResult = await handle.result();
  expect(after.verdict).toBe('split');
  expect(after.facts[0]).toContain('both say that they are the primary');
});
