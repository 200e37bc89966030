/** Activities that fail in the middle of a recovery of several members. */
import { setTimeout as pause } from 'node:timers/promises';
import { failure } from '../../activities/failure.ts';
import type { FakeEstate } from './fake-estate.ts';

/** On one member, once the other one is done: this server cannot cancel an activity that ends in that very moment. */
export function failsOn(estate: FakeEstate, activity: string): void {
  const host = ['stopStandby', 'startFollower'].includes(activity) ? 'db2' : 'db1';
  const before = estate.before;
  estate.before = async (name) => {
    if (name !== activity || estate.calledOn.at(-1) !== `${name} ${host}`) return before(name);
    await pause(1_000);
    throw failure('Moved', 'made to fail');
  };
}
