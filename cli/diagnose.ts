/** `lifeboat diagnose`: how the network around a service stands, and what could be done about what is wrong. */
import type { Command } from 'commander';
import type { NetworkCheck, NetworkResult } from '../workflows/network-diagnosis.ts';
import { type Cli, connected, leave, type UsualOptions, withJson, withProfile } from './cli.ts';
import { askWorkers } from './question.ts';

const withinMs = 180_000;

export function diagnoseCommand(program: Command, cli: Cli): void {
  const command = program
    .command('diagnose')
    .argument('[service]', 'as its plan names it')
    .description(
      'how the network around the service stands (DNS, ports, certificates, what it needs of others); reads only',
    );
  withProfile(withJson(command)).action((given: string | undefined, options: UsualOptions) =>
    connected(cli, options, async (engine) => {
      const found = await askWorkers(cli, engine, given, {
        type: 'networkDiagnosis',
        name: 'diagnosis',
        input: {},
        summary: 'Diagnosis of the network',
        withinMs,
        isAnswer: isDiagnosis,
      });
      cli.terminal.result(options.json ? JSON.stringify(found) : inWords(found));
      leave(cli, found.checks.every(({ well }) => well) ? 'good' : 'endedBadly');
    }),
  );
}

function isDiagnosis(value: unknown): value is NetworkResult {
  return typeof value === 'object' && value !== null && 'checks' in value && 'service' in value;
}

function inWords({ service, checks }: NetworkResult): string {
  const wrong = checks.filter(({ well }) => !well).length;
  const verdict =
    wrong === 0
      ? `The network around ${service} is well: ${checks.length} checks.`
      : `The network around ${service}: ${wrong} of ${checks.length} checks find something wrong.`;
  return [verdict, ...checks.flatMap(lines)].join('\n');
}

function lines({ about, well, words, proposal }: NetworkCheck): string[] {
  const line = `  ${well ? '✓' : '✗'} ${about}: ${words}`;
  return proposal === undefined ? [line] : [line, `      ${proposal}`];
}
