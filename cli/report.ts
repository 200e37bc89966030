/** `lifeboat report`: the evidence of a run, from the run itself or from the evidence store. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import type { Evidence } from '../evidence/evidence.ts';
import { renderHtml } from '../evidence/render/html.ts';
import { renderMarkdown } from '../evidence/render/markdown.ts';
import { renderTerminal } from '../evidence/render/terminal.ts';
import { seenAt } from '../evidence/seen-at.ts';
import { type Cli, leave, type UsualOptions, withJson, withProfile } from './cli.ts';
import { evidenceOf } from './evidence-of.ts';
import { Problem } from './problem.ts';

const formats = ['terminal', 'markdown', 'html', 'json'] as const;
type Format = (typeof formats)[number];

interface ReportOptions extends UsualOptions {
  format?: Format;
  output?: string;
}

export function reportCommand(program: Command, cli: Cli): void {
  const command = program
    .command('report')
    .argument('<run>', 'its name, such as orders-7f3a')
    .description('show what a run measured and proved, also while it goes on')
    .addOption(new Option('--format <format>', 'how').choices(formats))
    .option('--output <file>', 'write it there instead of to stdout');
  withProfile(withJson(command, 'the same as --format json')).action(async (run: string, options: ReportOptions) => {
    const format = formatOf(options);
    const evidence = await evidenceOf(cli, options, run);
    const color = format === 'terminal' && options.output === undefined && cli.terminal.color;
    await put(cli, rendered(evidence, format, color, new Date().toISOString()), options.output);
    leave(cli, 'good');
  });
}

function formatOf(options: ReportOptions): Format {
  if (!options.json) return options.format ?? 'terminal';
  if (options.format === undefined || options.format === 'json') return 'json';
  throw new Problem('badInput', `--json and --format ${options.format} contradict each other: give one of them.`);
}

function rendered(evidence: Evidence, format: Format, color: boolean, now: string): string {
  switch (format) {
    case 'json':
      return JSON.stringify(seenAt(evidence, now), undefined, 2);
    case 'html':
      return renderHtml(evidence, { now });
    case 'markdown':
      return renderMarkdown(evidence, { now });
    case 'terminal':
      return renderTerminal(evidence, { color, now });
  }
}

async function put(cli: Cli, text: string, file: string | undefined): Promise<void> {
  if (file === undefined) return cli.terminal.result(text.trimEnd());
  // Beside, then renamed: whoever reads the file never sees half a report.
  const beside = `${file}.${process.pid}.part`;
  try {
    await writeFile(beside, `${text.trimEnd()}\n`);
    await rename(beside, file);
  } catch (error) {
    await rm(beside, { force: true });
    const why = error instanceof Error ? error.message : String(error);
    throw new Problem('badInput', `The report cannot be written to ${file}: ${why}.`);
  }
  cli.terminal.message(`Written to ${file}`);
}
