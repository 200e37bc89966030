import type { PhaseRecord, Step } from '../../evidence/evidence.ts';

type Group = Step['group'];

/** How long people were waited for, phase by phase. Questions that are open side by side count once. */
export class PeopleClock {
  readonly #phases: PhaseRecord[];
  readonly #open = new Map<Group, { questions: number; since: number }>();

  constructor(phases: PhaseRecord[]) {
    this.#phases = phases;
  }

  async during<T>(group: Group, wait: () => Promise<T>): Promise<T> {
    const open = this.#open.get(group) ?? { questions: 0, since: Date.now() };
    open.questions += 1;
    this.#open.set(group, open);
    try {
      return await wait();
    } finally {
      this.count();
      open.questions -= 1;
      if (open.questions === 0) this.#open.delete(group);
    }
  }

  /** Adds what has passed since it was last counted. */
  count(): void {
    for (const [group, open] of this.#open) {
      const phase = this.#phases.find(({ name }) => name === group);
      if (phase !== undefined) phase.peopleMs += Date.now() - open.since;
      open.since = Date.now();
    }
  }
}
