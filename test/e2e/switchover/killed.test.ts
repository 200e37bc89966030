/** Workers that die in the middle of a switchover: it goes on to its end, and nothing that was acknowledged is lost. */
import { expect, test, vi } from 'vitest';
import { other, primaryOf, roles, served } from '../../../lab/pair.ts';
import { sayYes } from '../../../scripts/kills/people.ts';
import { sampled } from '../../sample.ts';
import { ended, useEstate } from '../drill/scenario.ts';
import { type Moment, patientMs, startSwitchover, stillServed, useCustomer, whileAt, withPeople } from './scenario.ts';

vi.setConfig({ testTimeout: patientMs });

const scenario = useEstate(withPeople);
const customer = useCustomer(scenario);

type Who = 'control' | 'old' | 'new';

const sides = ['before', 'during', 'after'] as const;
const steps: [string, Who][] = [
  ['traffic/make-a-slot-for-the-way-back', 'new'],
  ['traffic/close-the-front-door', 'control'],
  ['traffic/stop-the-primary', 'old'],
  ['traffic/let-the-old-primary-start-as-a-standby-only', 'old'],
  ['traffic/promote-the-standby', 'new'],
  ['traffic/open-the-front-door-to-the-new-primary', 'control'],
  ['database/let-the-old-primary-follow-the-new-one', 'old'],
  ['database/the-archive-holds-the-new-timeline', 'new'],
  ['database/the-old-primary-equals-the-new-one', 'old'],
  ['database/start-the-old-primary-as-a-standby', 'old'],
  ['database/take-a-backup-of-the-new-primary', 'new'],
];
const moments: (Moment & { who: Who })[] = steps.flatMap(([activity, who]) =>
  sides.map((side) => ({ activity, side, who })),
);

test.each(sampled(moments, 1, 'kill in a switchover'))(
  'the worker that is at $activity ($side) is killed: it ends well, and nothing is lost',
  async ({ who, ...moment }) => {
    const from = await primaryOf(scenario().estate);
    const worker = { control: 'control', old: `host-${from}`, new: `host-${other(from)}` }[who];
    const handle = await startSwitchover(scenario());
    const { done } = await whileAt(scenario(), moment, async () => {
      const victim = scenario().estate.process(worker);
      await victim.kill('SIGKILL');
      await victim.start();
    });
    await sayYes(handle);
    await done;
    const evidence = await ended(handle);
    expect(evidence.failure).toBeUndefined();
    expect(evidence).toMatchObject({ outcome: 'completed', leftBehind: [] });
    expect(await roles(scenario().estate)).toEqual({ [from]: 'standby', [other(from)]: 'primary' });
    expect(await served(scenario().estate)).toEqual([other(from)]);
    await stillServed(scenario(), customer());
  },
);
