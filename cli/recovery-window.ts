/** `lifeboat recovery-window`: from when to when a service can be recovered, and what stands in the way. */
import type { Command } from 'commander';
import { formatBytes } from '../evidence/format.ts';
import type { RecoveryWindowResult } from '../workflows/recovery-window.ts';
import { type Cli, connected, leave, type UsualOptions, withJson, withProfile } from './cli.ts';
import { askWorkers } from './question.ts';

// A repository of years is listed in a minute or so; a silent host worker is reported before that.
const withinMs = 600_000;

export function recoveryWindowCommand(program: Command, cli: Cli): void {
  const command = program
    .command('recovery-window')
    .argument('[service]', 'as its plan names it')
    .description('from when to when the service can be recovered, with gaps and anchors; reads only');
  withProfile(withJson(command)).action((given: string | undefined, options: UsualOptions) =>
    connected(cli, options, async (engine) => {
      const window = await askWorkers(cli, engine, given, {
        type: 'recoveryWindow',
        name: 'recovery-window',
        input: {},
        summary: 'Recovery window',
        withinMs,
        isAnswer: isWindow,
      });
      cli.terminal.result(options.json ? JSON.stringify(window) : windowInWords(window));
      leave(cli, 'good');
    }),
  );
}

function isWindow(value: unknown): value is RecoveryWindowResult {
  return typeof value === 'object' && value !== null && 'timeline' in value && 'backups' in value;
}

function windowInWords(window: RecoveryWindowResult): string {
  return [
    heading(window),
    ...section(
      'Backups',
      window.backups,
      (one) => `${one.label}  ${one.type.padEnd(4)}  ended ${one.stoppedAt}  ${formatBytes(one.bytes)} restored`,
    ),
    ...section(
      'Anchors',
      window.anchors,
      (one) => `${one.at}  at ${one.lsn}  ${one.tables} ${one.tables === 1 ? 'table' : 'tables'}`,
    ),
    ...section('Gaps', window.gaps, (one) => one),
    ...section('Oddities', window.oddities, (one) => one),
  ].join('\n');
}

function heading({ service, from, to, timeline, gaps }: RecoveryWindowResult): string {
  if (from === undefined || to === undefined)
    return `${service} cannot be recovered from its backups: no complete backup with the WAL that it needs.`;
  const gapless = gaps.length === 0 ? 'no gap' : `${gaps.length} ${gaps.length === 1 ? 'gap' : 'gaps'}, see below`;
  return `${service} can be recovered from ${from} to ${to} (timeline ${timeline}, ${gapless}).`;
}

function section<T>(title: string, rows: readonly T[], words: (row: T) => string): string[] {
  if (rows.length === 0) return title === 'Gaps' || title === 'Oddities' ? [] : ['', `${title}: none`];
  return ['', title, ...rows.map((row) => `  ${words(row)}`)];
}
