/** `lifeboat archive`: the timelines of the WAL archive, what is wrong with it, and what to do. */
import type { Command } from 'commander';
import type { ArchiveResult } from '../workflows/archive.ts';
import { inkFor } from './archive/ink.ts';
import { remedyOf } from './archive/remedies.ts';
import { archiveInWords } from './archive/words.ts';
import { type Cli, connected, leave, type UsualOptions, withJson, withProfile } from './cli.ts';
import { askWorkers } from './question.ts';

// A silent worker is reported long before that.
const withinMs = 30 * 60_000;
const deepWithinMs = 25 * 3_600_000;

interface Options extends UsualOptions {
  deep?: boolean;
}

export function archiveCommand(program: Command, cli: Cli): void {
  const command = program
    .command('archive')
    .argument('[service]', 'as its plan names it')
    .description('the timelines of the WAL archive as a tree, what is wrong with it, and what to do; reads only')
    .option('--deep', 'read every segment that a recovery can need, whole, and compare it with its checksum');
  withProfile(withJson(command)).action((given: string | undefined, options: Options) =>
    connected(cli, options, async (engine) => {
      const archive = await askWorkers(cli, engine, given, {
        type: 'archive',
        name: 'archive',
        input: options.deep === true ? { deep: true } : {},
        summary: 'The WAL archive',
        withinMs: options.deep === true ? deepWithinMs : withinMs,
        isAnswer: isArchive,
      });
      cli.terminal.result(
        options.json ? JSON.stringify(withRemedies(archive)) : archiveInWords(archive, inkFor(cli.terminal)),
      );
      leave(cli, archive.findings.some(({ threatens }) => threatens) ? 'endedBadly' : 'good');
    }),
  );
}

function isArchive(value: unknown): value is ArchiveResult {
  return typeof value === 'object' && value !== null && 'branches' in value && 'findings' in value;
}

function withRemedies(archive: ArchiveResult): object {
  return { ...archive, findings: archive.findings.map((one) => ({ ...one, ...remedyOf(one, archive) })) };
}
