/** HAProxy's servers, their weights and what it counts of them. @see HAProxy Management Guide, 9.3 "show servers state", "set server" */
import type { SharedServer } from '../../recovery/shares.ts';
import { failure } from '../failure.ts';
import { type Balancer, keep, nameOf, tell } from '../traffic/haproxy-orders.ts';
import { ask } from '../traffic/haproxy-socket.ts';
import { statisticsOf } from '../traffic/haproxy-statistics.ts';
import type { Counter, VisitorsKind } from './kind.ts';

export function haproxy(balancer: Balancer): VisitorsKind {
  return {
    servers: () => serversOf(balancer),
    counters: async () => (await statisticsOf(balancer)).map(counterOf),
    weigh: async (now, weights) => {
      const changed = Object.entries(weights).filter(([server, weight]) => now[server] !== weight);
      const more = changed.filter(([server, weight]) => weight > (now[server] ?? 0));
      const ordered = [...more, ...changed.filter((one) => !more.includes(one))];
      if (ordered.length > 0)
        await tell(
          balancer,
          ordered.map(([server, weight]) => `set server ${nameOf(balancer, server)} weight ${weight}`),
        );
    },
    keep: () => keep(balancer),
  };
}

async function serversOf(balancer: Balancer): Promise<SharedServer[]> {
  // First what says whether there is such a backend at all.
  const statistics = await statisticsOf(balancer);
  const states = parseStates(await ask(balancer.socket, `show servers state ${backendName(balancer)}`));
  return states.map((state) => {
    const row = statistics.find(({ svname }) => svname === state.srv_name);
    return {
      server: state.srv_name ?? '',
      weight: Number(state.srv_uweight),
      configured: Number(state.srv_iweight),
      // 0 is stopped; 1 starts slowly, 2 runs, 3 is about to stop.
      up: state.srv_op_state !== '0',
      takenOut: Number(state.srv_admin_state) !== 0,
      backup: row?.bck === '1',
      sessions: Number(row?.scur ?? 0),
    };
  });
}

function backendName({ backend }: Balancer): string {
  if (/^[A-Za-z0-9_.:-]+$/.test(backend)) return backend;
  throw failure('PlanInvalid', `${JSON.stringify(backend)} is no name of a backend of HAProxy. Correct the plan.`);
}

/** The version of the format, a header that begins with `# `, then a line for each server. */
export function parseStates(text: string): Record<string, string>[] {
  const [, header = '', ...lines] = text.split('\n').filter((line) => line.trim() !== '');
  const columns = header.replace(/^# /, '').split(' ');
  return lines.map((line) => {
    const cells = line.split(' ');
    return Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? '']));
  });
}

/** Of a backend that does not speak HTTP, sessions are what is counted. */
function counterOf(row: Record<string, string>): Counter {
  const number = (column: string) => Number(row[column] || 0);
  const broken = number('econ') + number('eresp');
  const classes = ['1xx', '2xx', '3xx', '4xx', '5xx', 'other'].map((one) => number(`hrsp_${one}`));
  const answers = row.mode === 'tcp' ? number('stot') : classes.reduce((sum, one) => sum + one, 0);
  return {
    server: row.svname ?? '',
    answers: answers + broken,
    failed: (row.mode === 'tcp' ? 0 : number('hrsp_5xx')) + broken,
  };
}
