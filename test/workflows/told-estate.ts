import type { ControlRecords, Posted } from '../../activities/contract.ts';
import { FakeEstate } from './fake-estate.ts';
import { estateWithPeople } from './talk.ts';

const minute = 60_000;

type Ask = Parameters<ControlRecords['post']>[0];

/** An estate whose Slack takes everything, or what `answers` makes of it. */
export class ToldEstate extends FakeEstate {
  readonly asked: Ask[] = [];
  answers: (ask: Ask) => Posted | Promise<Posted> = (ask) => ({
    delivered: 'slack',
    found: 'told on Slack',
    thread: ask.thread ?? { channel: 'C01', ts: '1.0' },
    place: { channel: 'C01', ts: `1.${this.asked.length}` },
  });

  constructor(rule: Parameters<typeof estateWithPeople>[0] = {}) {
    super();
    const { people } = estateWithPeople(rule).plan;
    if (people === undefined) throw new Error('the estate with people has none');
    const status = { every: 30 * minute, channel: '#incident', webhook: '$' + '{env:HOOK}' };
    this.plan.people = { ...people, status };
    this.post = async (ask) => {
      this.asked.push(ask);
      return this.answers(ask);
    };
  }

  get ids(): string[] {
    return this.asked.map((ask) => ask.message.id);
  }
}
