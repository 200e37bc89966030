/** What HAProxy says of the servers of a backend. */
import { failure } from '../failure.ts';
import type { Balancer } from './haproxy-orders.ts';
import { ask } from './haproxy-socket.ts';
import type { Backend } from './kind.ts';

/** Every server of the plan's backend. @throws TrafficUnreachable @throws PlanInvalid */
export async function backends(balancer: Balancer): Promise<Backend[]> {
  return withoutIdleBackups(await statisticsOf(balancer));
}

/** A row for each server of the backend. @throws TrafficUnreachable @throws PlanInvalid */
export async function statisticsOf(balancer: Balancer): Promise<Record<string, string>[]> {
  const table = parseStatistics(await ask(balancer.socket, 'show stat'));
  const servers = table.filter((row) => row.pxname === balancer.backend);
  if (servers.length === 0) throw unknownBackend(balancer, table);
  return servers.filter((row) => row.svname !== 'BACKEND' && row.svname !== 'FRONTEND');
}

/** A server marked `backup` is healthy but idle as long as an ordinary one is healthy. */
function withoutIdleBackups(rows: Record<string, string>[]): Backend[] {
  const active = rows.some((row) => row.bck !== '1' && backendOf(row).serves);
  return rows.map((row) => (row.bck === '1' && active ? { ...backendOf(row), serves: false } : backendOf(row)));
}

function backendOf(row: Record<string, string>): Backend {
  const state = row.status ?? 'unknown';
  return {
    server: row.svname ?? 'unknown',
    address: row.addr || 'address hidden',
    state,
    // `UP 1/3` is going down but still serves, `no check` always does; DRAIN takes no new connections.
    serves: state.startsWith('UP') || state === 'no check',
    sessions: Number(row.scur ?? 0),
    checkedOut: state.startsWith('DOWN') && (row.check_status ?? '') !== '',
  };
}

function unknownBackend({ socket, backend }: Balancer, table: Record<string, string>[]): Error {
  const names = [...new Set(table.filter((row) => row.svname === 'BACKEND').map((row) => row.pxname))];
  return failure(
    'PlanInvalid',
    `HAProxy at ${socket} has no backend "${backend}", it has ${names.join(', ') || 'none'}. Correct the name of the backend in the plan.`,
  );
}

/** CSV with a header that begins with `# `. Quotes only stand around the last check's output. */
export function parseStatistics(text: string): Record<string, string>[] {
  const [header = '', ...lines] = text.split('\n').filter((line) => line.trim() !== '');
  const columns = header.replace(/^# /, '').split(',');
  return lines.map((line) => {
    const cells = [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, cell = '']) => unquote(cell));
    return Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? '']));
  });
}

function unquote(cell: string): string {
  return cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell;
}
