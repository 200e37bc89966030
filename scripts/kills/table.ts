import type { Walked } from './walk.ts';

const columns = ['', 'step', 'activity', 'killed', 'side', 'outcome', 'attempts', 'extra', 'left over'] as const;

/** What a line of the table tells. */
export type Told = Pick<Walked, 'planned' | 'victim' | 'outcome' | 'attempts' | 'extraMs' | 'leftOver'>;

export function rowOf(walked: Told, number: number): string[] {
  const { planned, victim, outcome, attempts, extraMs, leftOver } = walked;
  const { runbook, step, id, activity } = planned.point;
  const call = /\.(\d+)$/.exec(id)?.[1];
  return [
    `${number}`,
    `${runbook === 'monthly-drill' ? '' : `${runbook} `}${step}`,
    call === undefined ? activity : `${activity} (${call})`,
    victim,
    planned.side,
    outcome,
    `${attempts}`,
    `${extraMs < 0 ? '-' : '+'}${(Math.abs(extraMs) / 1000).toFixed(1)} s`,
    leftOver.length === 0 ? 'nothing' : leftOver.join('; '),
  ];
}

/** What the observer's own writes met, over all walks. */
export function renderWrites(walks: readonly Walked[]): string {
  const sum = (count: (walked: Walked) => number) => walks.reduce((total, walked) => total + count(walked), 0);
  const slowest = Math.max(0, ...walks.map(({ written }) => written.slowestMs));
  return `Writes to the service meanwhile: ${sum(({ written }) => written.acknowledged)} acknowledged, ${sum(({ written }) => written.failed.length)} failed, the slowest took ${(slowest / 1000).toFixed(1)} s.`;
}

/** As Markdown, which a terminal shows well enough. */
export function renderTable(walks: readonly Told[]): string {
  const rows = [[...columns], ...walks.map((walked, index) => rowOf(walked, index + 1))];
  const widths = columns.map((_column, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]) => `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}
