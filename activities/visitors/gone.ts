import { formatDuration } from '../../evidence/format.ts';
import type { VisitorsReads } from '../contract.ts';
import { nowWaiting, pause } from '../heartbeat.ts';
import { kindOf } from './kinds.ts';

const lookEveryMs = 250;

export const visitorsGone: VisitorsReads['visitorsGone'] = async ({ visitors, servers, withinMs }) => {
  const kind = kindOf(visitors);
  const names = servers.join(', ');
  const deadline = performance.now() + withinMs;
  try {
    for (;;) {
      const there = (await kind.servers()).filter(({ server }) => servers.includes(server));
      const left = there.reduce((sum, { sessions }) => sum + sessions, 0);
      const expected = 'nobody is cut off when they are taken away';
      if (left === 0) return { left, found: `nobody is left on ${names}: ${be(servers)} drained`, expected };
      if (performance.now() >= deadline)
        return {
          left,
          found: `after ${formatDuration(withinMs)} ${left} sessions are still open on ${names}: to take ${servers.length === 1 ? 'it' : 'them'} away now would cut them off`,
          expected,
        };
      nowWaiting(`${left} sessions on ${names}`);
      await pause(lookEveryMs);
    }
  } finally {
    nowWaiting(undefined);
  }
};

function be(servers: string[]): string {
  return servers.length === 1 ? 'it is' : 'they are';
}
