/** The result as people read it: a table in the terminal, and one in Markdown. */
import { formatBytes, formatCount, formatDate, formatDuration, formatNumberOf } from '../evidence/format.ts';
import type { Goal, Result, Row } from './result.ts';

/** One line: on what, with which versions. */
function machineInWords({ machine }: Result): string {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  const memory = `${Math.round(machine.memoryBytes / 1024 ** 3)} GB`;
  return `${machine.cores} cores (${machine.processor}), ${memory} of memory, ${machine.disk}, ${machine.system}; ${versions.join(', ')}`;
}

/** One line: how much data, how often. */
function groundInWords({ ground, rounds, startedAt, tookMs }: Result): string {
  const often = `${formatNumberOf(rounds, 'round')} in turns, medians; ${formatDate(startedAt)}, ${formatDuration(tookMs)}`;
  if (ground === undefined) return often;
  const data = `${formatCount(ground.orders)} orders, ${formatBytes(ground.backupBytes)} restored`;
  const wal = `${ground.segments} WAL segments of ${formatBytes(ground.segmentBytes)} between backup and target`;
  return `${data}, ${wal}; ${often}`;
}

export function renderTerminal(result: Result): string {
  const rows = result.rows.map((row) => [row.part, row.name, shown(row.median, row.unit), samplesOf(row)]);
  const goals = goalsOf(result);
  return [
    machineInWords(result),
    groundInWords(result),
    '',
    ...columns([['', 'measured', 'median', 'each round'], ...rows]),
    '',
    ...(goals.length === 0 ? [] : [...columns([['', 'goal', 'value', 'wanted', ''], ...goals]), '']),
  ].join('\n');
}

export function renderMarkdown(result: Result): string {
  const goals = goalsOf(result);
  return [
    `Measured on ${machineInWords(result)}.`,
    '',
    `${groundInWords(result)}.`,
    '',
    ...(goals.length === 0 ? [] : [...table(['', 'goal', 'value', 'wanted', ''], goals), '']),
    ...table(
      ['', 'measured', 'median', 'each round'],
      result.rows.map((row) => [row.part, row.name, shown(row.median, row.unit), samplesOf(row)]),
    ),
  ].join('\n');
}

function goalsOf({ goals }: Result): string[][] {
  return goals.map((goal) => [goal.part, goal.name, shown(goal.value, goal.unit), limitOf(goal), verdict(goal)]);
}

function verdict({ met }: Goal): string {
  return met ? 'met' : 'not met';
}

function limitOf({ limit, direction, unit }: Goal): string {
  return `${direction} ${shown(limit, unit)}`;
}

const mostSamples = 5;

function samplesOf({ samples, unit }: Row): string {
  if (samples.length === 1) return '';
  if (samples.length > mostSamples)
    return `${samples.length} of ${shown(Math.min(...samples), unit)} to ${shown(Math.max(...samples), unit)}`;
  return samples.map((sample) => shown(sample, unit)).join(', ');
}

function shown(value: number, unit: Row['unit'] | Goal['unit']): string {
  switch (unit) {
    case 'ms':
      return value < 1_000 ? `${Number(value.toFixed(1))} ms` : `${(value / 1_000).toFixed(1)} s`;
    case 'bytes':
      return formatBytes(value);
    case 'events':
    case 'runs':
      return formatCount(value);
    case 'orders/s':
      return `${value.toFixed(1)}/s`;
    case 'ratio':
      return value.toFixed(2);
  }
}

function columns(rows: string[][]): string[] {
  const widths = rows[0]?.map((_cell, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function table(head: string[], rows: string[][]): string[] {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}
