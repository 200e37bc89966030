/** `lifeboat readiness`: whether the other site could take over now, and what stands in the way. */
import type { Command } from 'commander';
import type { ReadinessResult } from '../workflows/readiness.ts';
import { type Cli, connected, leave, type UsualOptions, withJson, withProfile } from './cli.ts';
import { askWorkers } from './question.ts';

// A host worker that is silent is reported long before that.
const withinMs = 300_000;

interface Options extends UsualOptions {
  to?: string;
}

export function readinessCommand(program: Command, cli: Cli): void {
  const command = program
    .command('readiness')
    .argument('[service]', 'as its plan names it')
    .description('whether the other site could take over now, and what stands in the way; reads only')
    .option('--to <site>', 'the site that would take over, where there are several others');
  withProfile(withJson(command)).action((given: string | undefined, options: Options) =>
    connected(cli, options, async (engine) => {
      const found = await askWorkers(cli, engine, given, {
        type: 'readiness',
        name: 'readiness',
        input: options.to === undefined ? {} : { to: options.to },
        summary: 'Readiness of the other site',
        withinMs,
        isAnswer: isReadiness,
      });
      cli.terminal.result(options.json ? JSON.stringify(found) : inWords(found));
      leave(cli, found.checks.every(({ ready }) => ready) ? 'good' : 'endedBadly');
    }),
  );
}

function isReadiness(value: unknown): value is ReadinessResult {
  return typeof value === 'object' && value !== null && 'checks' in value && 'from' in value;
}

function inWords({ service, from, to, checks }: ReadinessResult): string {
  const missing = checks.filter(({ ready }) => !ready).length;
  const verdict =
    missing === 0
      ? `${to} could take over ${service} from ${from} now.`
      : `${to} is not ready to take over ${service} from ${from}: ${missing} of ${checks.length} checks say no.`;
  return [verdict, ...checks.map(({ about, ready, words }) => `  ${ready ? '✓' : '✗'} ${about}: ${words}`)].join('\n');
}
