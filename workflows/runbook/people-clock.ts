import type { PhaseRecord, Step } from '../../evidence/evidence.ts';

type Group = Step['group'];

/** How long people were waited for, phase by phase. Questions that are open side by side count once. */
export class PeopleClock {
  readonly #phases: PhaseRecord[];
  readonly #questions = new Map<Group, number>();

  constructor(phases: PhaseRecord[]) {
    this.#phases = phases;
  }

  async during<T>(group: Group, wait: () => Promise<T>): Promise<T> {
    const phase = this.#phases.find(({ name }) => name === group);
    if (phase !== undefined) phase.peopleSince ??= new Date(Date.now()).toISOString();
    this.#questions.set(group, (this.#questions.get(group) ?? 0) + 1);
    try {
      return await wait();
    } finally {
      const left = (this.#questions.get(group) ?? 1) - 1;
      this.#questions.set(group, left);
      if (left === 0 && phase?.peopleSince !== undefined) {
        phase.peopleMs += Date.now() - Date.parse(phase.peopleSince);
        delete phase.peopleSince;
      }
    }
  }
}
