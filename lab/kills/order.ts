/** An order to stop a worker at one exact point, so that somebody can be killed there: who gives it, and where it lies. */
import { join } from 'node:path';

/**
 * `before`: the activity has begun on its worker and has done nothing. `during`: it is at work. `after`: its work is done, and nobody
 * has been told. `deciding`: the workflow has asked for the activity, and the engine has not been told.
 */
export const sides = ['before', 'during', 'after', 'deciding'] as const;
export type Side = (typeof sides)[number];

export interface KillOrder {
  /** Id of the activity, or of the child workflow that is a lock. */
  activity: string;
  side: Side;
  /** Of `during`: whichever comes first, so many milliseconds or so many acts (files, processes, connections, timers). */
  afterMs: number;
  afterActs: number;
}

/** How much an activity did, and for how long: `during` is chosen by it. */
export interface Done {
  run: string;
  activity: string;
  acts: number;
  ms: number;
}

/** A check that a lock is still held is numbered through the run: which number it has depends on what went on beside it. */
const lockNumber = /(?<=\/lock-)\d+$/;

/** Without the number of a lock's check: two of one step are the same place. */
export function placeOf(activity: string): string {
  return activity.replace(lockNumber, '');
}

export interface OrderFiles {
  folder: string;
  /** Waits for the worker that comes to its point. */
  order: string;
  /** The order, once a worker stands still at its point: taken by a rename, so that nobody takes it twice. */
  taken: string;
  /** The kill is done: whoever still stands may go on. */
  go: string;
  /** What the process with this id has done. */
  done(pid: number): string;
}

/** Names the folder to a worker. */
export const orderVariable = 'LAB_KILL_ORDERS';

export function orderFiles(folder: string): OrderFiles {
  return {
    folder,
    order: join(folder, 'order.json'),
    taken: join(folder, 'taken.json'),
    go: join(folder, 'go'),
    done: (pid) => join(folder, `done-${pid}.jsonl`),
  };
}
