import type { Interval } from '../../recovery/archive.ts';
import type { Found, Scratch } from '../shapes.ts';
import { permittedPlaces } from './scratch.ts';
import { all, one } from './session.ts';
import { withScratch } from './standing.ts';

/** Unbroken runs of numbers: a number minus its place in the order is the same all along a run. */
const runs = `
  select min(number)::text as first, max(number)::text as last
  from (select number, number - row_number() over (order by number) as run from lifeboat.pulse) numbered
  group by run
  order by min(number)`;

/** Which pulse writes came back, by their numbers. */
export async function pulsesRestored(ask: {
  scratch: Scratch;
  database: string;
}): Promise<Found & { intervals: Interval[] }> {
  return withScratch(await permittedPlaces(ask.scratch), ask.database, 'pulses', async (client) => {
    const { table } = await one(client, `select to_regclass('lifeboat.pulse')::text as table`);
    if (table === null)
      return { intervals: [], found: 'the restored database has no table lifeboat.pulse: no pulse write came back' };
    const intervals = (await all(client, runs)).map(({ first, last }): Interval => [Number(first), Number(last)]);
    const count = intervals.reduce((sum, [first, last]) => sum + last - first + 1, 0);
    const newest = intervals.at(-1)?.[1];
    return {
      intervals,
      found: newest === undefined ? 'lifeboat.pulse is empty' : `${count} pulse writes, the newest is number ${newest}`,
    };
  });
}
