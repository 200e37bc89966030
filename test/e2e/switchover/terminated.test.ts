/** A switchover that is terminated in its middle: nothing happens by itself any more, and whoever looks is told what stands where. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { lostFor } from '../../../lab/customer.ts';
import { hosts } from '../../../lab/layout.ts';
import { roles, served } from '../../../lab/pair.ts';
import { sayYes } from '../../../scripts/kills/people.ts';
import { sampled } from '../../sample.ts';
import { ended, start, until, useEstate } from '../drill/scenario.ts';
import { type Moment, patientMs, startByHand, startSwitchover, useCustomer, whileAt, withPeople } from './scenario.ts';

vi.setConfig({ testTimeout: patientMs });

const moments: (Moment & { leaves: object; said: RegExp })[] = [
  {
    activity: 'traffic/close-the-front-door',
    side: 'after',
    leaves: { db1: 'primary', db2: 'standby' },
    said: /the load balancer leads to nobody, expected db1 alone.* By hand: Open the front door to db1/,
  },
  {
    activity: 'traffic/stop-the-primary',
    side: 'after',
    leaves: { db1: 'down', db2: 'standby' },
    said: /db1 cannot be asked for a role.* By hand: \(1\) Nobody was promoted, so go back to db1: \/.* \(2\) Open the front door/,
  },
  {
    activity: 'traffic/let-the-old-primary-start-as-a-standby-only.2',
    side: 'after',
    leaves: { db1: 'down', db2: 'standby' },
    said: /go back to db1: rm .*standby\.signal, then .* Open the front door/,
  },
  {
    activity: 'traffic/promote-the-standby',
    side: 'after',
    leaves: { db1: 'down', db2: 'primary' },
    said: /db1 cannot be asked for a role.* Open the front door to db2.* Let db1 follow db2/,
  },
  {
    activity: 'database/start-the-old-primary-as-a-standby',
    side: 'before',
    leaves: { db2: 'primary' },
    said: /db1 cannot be asked for a role|previewed/,
  },
];

describe.each(sampled(moments, 1, 'terminate a switchover'))('terminated at $activity ($side)', (moment) => {
  const scenario = useEstate(withPeople);
  const customer = useCustomer(scenario);

  test('there is one primary at most, nothing acknowledged is lost, and the next dry run says what it finds', async () => {
    const { estate } = scenario();
    const handle = await startSwitchover(scenario());
    const { done } = await whileAt(scenario(), moment, () => handle.terminate('the end-to-end tests'));
    await sayYes(handle).catch(() => undefined);
    await done;
    await until('it is as it was left', async () => {
      expect(await roles(estate)).toMatchObject(moment.leaves);
      return true;
    });
    const next = await ended(await startSwitchover(scenario(), { mode: 'dry-run' }));
    expect(next.failure?.message ?? next.outcome).toMatch(moment.said);
    const found = await roles(estate);
    const sweep = await ended(await start(scenario(), 'sweep', {}));
    expect(sweep.flags.includes('door-closed')).toBe((await served(estate)).length === 0);
    if (found.db1 === 'down') {
      // As somebody does who knows nothing of all this: there must never be a second primary.
      if (found.db2 !== 'primary') await rm(join(estate.servers.db1.data, 'standby.signal'), { force: true });
      await startByHand(scenario(), 'db1');
      expect(await roles(estate)).toMatchObject({ db1: found.db2 === 'primary' ? 'standby' : 'primary' });
    }
    expect(hosts.filter((host) => found[host] === 'primary').length).toBeLessThanOrEqual(1);
    expect(await lostFor(estate, [...customer().acknowledged])).toEqual([]);
  });
});
