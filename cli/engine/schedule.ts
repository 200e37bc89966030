/** Schedules as the commands see them. */
import type { ListedSchedule } from '../../activities/schedules.ts';
import type { ScheduleSpec } from '../../plan/schedule-calendar.ts';
import type { ScheduledName } from '../../plan/schedule-entries.ts';
import type { Order } from './engine.ts';
import type { Definition } from './schedule-definition.ts';

/** What a plan wants to be on the server. */
export interface WantedSchedule {
  id: string;
  service: string;
  name: ScheduledName;
  /** As the plan says it. */
  words: string;
  spec: ScheduleSpec;
  /** Its runs begin up to so much later, each at a moment of its own, milliseconds. */
  spreadMs: number;
  /** What the server missed is started when it is no older, milliseconds. */
  catchUpMs: number;
  /** `prefix` is what its runs are called, before their time. */
  order: Order;
}

/** One that is on the server. */
export interface KnownSchedule {
  id: string;
  /** Made by Lifeboat for this service; otherwise it only has the name. */
  ours: boolean;
  definition: Definition;
  paused: boolean;
  note?: string;
  /** Its times count from here on. */
  since?: Date;
  next: Date[];
  newest?: { run: string; scheduledAt: Date };
  running: string[];
  /** Times at which its run before was still going on. */
  skipped: number;
  /** Times that were too long ago when the server came back. */
  tooLate: number;
  /** Puts what is wanted in its place; false when somebody has changed it since it was read. Pauses and notes stay. */
  replace(wanted: WantedSchedule): Promise<boolean>;
}

export interface Schedules {
  /** Those that Lifeboat made, of every service; a second or so behind. */
  all(): Promise<ListedSchedule[]>;
  /** As it is at this moment; `undefined` when there is none. */
  read(id: string): Promise<KnownSchedule | undefined>;
  /** False when there is one by now. */
  create(wanted: WantedSchedule): Promise<boolean>;
  remove(id: string): Promise<void>;
  pause(id: string, note: string): Promise<void>;
  resume(id: string, note: string): Promise<void>;
}
