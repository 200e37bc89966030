/** Schedules of a server in memory: keeps pauses and notes, refuses what was changed since it was read. */
import type { ListedSchedule } from '../../../activities/schedules.ts';
import type { KnownSchedule, Schedules, WantedSchedule } from '../../../cli/engine/schedule.ts';
import { type Definition, wantedDefinition } from '../../../cli/engine/schedule-definition.ts';
import { scheduleOfId } from '../../../plan/schedule-ids.ts';

export interface MadeUp {
  definition: Definition;
  ours: boolean;
  paused: boolean;
  note: string;
  version: number;
  newest?: KnownSchedule['newest'];
  skipped: number;
  since?: string;
}

export class MadeUpSchedules implements Schedules {
  readonly there = new Map<string, MadeUp>();
  /** Everything that changed something, in order. */
  readonly done: string[] = [];
  /** Called before a change is taken up: somebody else may be faster. */
  before: (id: string) => void = () => undefined;

  put(id: string, over: Partial<MadeUp> = {}): MadeUp {
    const made: MadeUp = {
      definition: { times: 'daily 05:00 UTC', parts: { times: 'other' } },
      ours: true,
      paused: false,
      note: '',
      version: 1,
      skipped: 0,
      ...over,
    };
    this.there.set(id, made);
    return made;
  }

  async all(): Promise<ListedSchedule[]> {
    return [...this.there].flatMap(([id, { ours, paused, note, since }]) => {
      const named = scheduleOfId(id);
      if (named === undefined || !ours) return [];
      return [{ id, ...named, paused, ...(note === '' ? {} : { note }), ...(since === undefined ? {} : { since }) }];
    });
  }

  async read(id: string): Promise<KnownSchedule | undefined> {
    const found = this.there.get(id);
    if (found === undefined) return undefined;
    const { version } = found;
    return {
      id,
      ours: found.ours,
      definition: found.definition,
      paused: found.paused,
      ...(found.note === '' ? {} : { note: found.note }),
      ...(found.newest === undefined ? {} : { newest: found.newest }),
      next: [new Date('2026-12-05T02:00:00Z')],
      running: [],
      skipped: found.skipped,
      tooLate: 0,
      replace: async (wanted) => this.#replace(wanted, version),
    };
  }

  async create(wanted: WantedSchedule): Promise<boolean> {
    this.before(wanted.id);
    if (this.there.has(wanted.id)) return false;
    this.put(wanted.id, { definition: wantedDefinition(wanted) });
    this.done.push(`make ${wanted.id}`);
    return true;
  }

  #replace(wanted: WantedSchedule, version: number): boolean {
    this.before(wanted.id);
    const found = this.there.get(wanted.id);
    if (found === undefined || found.version !== version) return false;
    found.definition = wantedDefinition(wanted);
    found.version += 1;
    this.done.push(`change ${wanted.id}`);
    return true;
  }

  async remove(id: string): Promise<void> {
    this.there.delete(id);
    this.done.push(`remove ${id}`);
  }

  async pause(id: string, note: string): Promise<void> {
    Object.assign(this.#at(id), { paused: true, note });
    this.done.push(`pause ${id}`);
  }

  async resume(id: string, note: string): Promise<void> {
    Object.assign(this.#at(id), { paused: false, note });
    this.done.push(`resume ${id}`);
  }

  #at(id: string): MadeUp {
    const found = this.there.get(id);
    if (found === undefined) throw new Error(`there is no schedule ${id}`);
    found.version += 1;
    return found;
  }
}
