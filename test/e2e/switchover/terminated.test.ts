/** A switchover that is terminated in its middle: nothing happens by itself any more, and whoever looks is told what stands where. */
import { describe, expect, test, vi } from 'vitest';
import { lostFor } from '../../../lab/customer.ts';
import { hosts } from '../../../lab/layout.ts';
import { roles } from '../../../lab/pair.ts';
import { sayYes } from '../../../scripts/kills/switchover.ts';
import { sampled } from '../../sample.ts';
import { ended, until, useEstate } from '../drill/scenario.ts';
import { type Moment, patientMs, startByHand, startSwitchover, useCustomer, whileAt, withPeople } from './scenario.ts';

vi.setConfig({ testTimeout: patientMs });

const moments: (Moment & { leaves: object; said: RegExp })[] = [
  {
    activity: 'traffic/close-the-front-door',
    side: 'after',
    leaves: { db1: 'primary', db2: 'standby' },
    said: /the load balancer leads to nobody, expected db1 alone/,
  },
  {
    activity: 'traffic/stop-the-primary',
    side: 'after',
    leaves: { db1: 'down', db2: 'standby' },
    said: /db1 cannot be asked for a role/,
  },
  {
    activity: 'traffic/promote-the-standby.3',
    side: 'after',
    leaves: { db1: 'down', db2: 'primary' },
    said: /db1 cannot be asked for a role/,
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
    if (hosts.every((host) => found[host] !== 'primary')) await startByHand(scenario(), 'db1');
    expect(hosts.filter((host) => found[host] === 'primary').length).toBeLessThanOrEqual(1);
    expect(await lostFor(estate, [...customer().acknowledged])).toEqual([]);
  });
});
