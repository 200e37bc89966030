/** `lifeboat plan validate` and `lifeboat plan schema`: they need no engine and touch nothing but files. */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { planJsonSchemaText } from '../plan/json-schema.ts';
import { type LoadedPlan, loadPlanFile } from '../plan/load.ts';
import { type PlanProblem, PlanProblems, problemInWords } from '../plan/problems.ts';
import { exitCodes } from './exit-codes.ts';
import { nextDrills, planInWords } from './plan/words.ts';
import { Problem } from './problem.ts';

export function planCommands(program: Command): void {
  const plan = program.command('plan').description('check plans, and the schema that editors read');
  const validate = plan
    .command('validate')
    .argument('<file...>', 'plan files')
    .description('says everything that is wrong with a plan, or reads it back in plain sentences')
    .option('--json', 'one JSON document on stdout')
    .action((files: string[], options: { json?: boolean }) => validateFiles(validate, files, options));
  const schema = plan
    .command('schema')
    .description('the JSON Schema of a plan, on stdout')
    .option('--write [file]', 'write it to a file instead (examples/plan.schema.json)')
    .option('--json', 'as every command takes it: a schema is JSON anyway')
    .action((options: { write?: true | string }) => writeSchema(schema, options));
}

type Checked = { file: string; loaded: LoadedPlan } | { file: string; problems: readonly PlanProblem[] };

async function validateFiles(command: Command, files: string[], options: { json?: boolean }): Promise<void> {
  const checked = withUniqueServices(await Promise.all([...new Set(files)].map(check)));
  const now = new Date();
  if (options.json) print(command, JSON.stringify({ files: checked.map((one) => asJson(one, now)) }));
  else for (const one of checked) print(command, inWords(one, now));
  process.exitCode = exitCodes[checked.some((one) => 'problems' in one) ? 'badInput' : 'good'];
}

async function check(file: string): Promise<Checked> {
  try {
    return { file, loaded: await loadPlanFile(file) };
  } catch (error) {
    if (error instanceof PlanProblems) return { file, problems: error.problems };
    throw error;
  }
}

/** Two plans of one service would make a run depend on which is read first. */
function withUniqueServices(checked: Checked[]): Checked[] {
  return checked.map((one, index) => {
    if ('problems' in one) return one;
    const { service } = one.loaded.plan;
    const first = checked.slice(0, index).find((other) => 'loaded' in other && other.loaded.plan.service === service);
    if (first === undefined) return one;
    const message = `service "${service}" has a plan already, in ${first.file}`;
    return { file: one.file, problems: [{ file: one.file, line: 1, column: 1, path: 'service', message }] };
  });
}

function asJson(one: Checked, now: Date): unknown {
  if ('problems' in one) return { file: one.file, valid: false, problems: one.problems };
  const { plan, sha256 } = one.loaded;
  return { file: one.file, valid: true, service: plan.service, sha256, nextDrills: nextDrills(plan, now), plan };
}

function inWords(one: Checked, now: Date): string {
  if ('loaded' in one) return planInWords(one.loaded, now);
  const count = one.problems.length === 1 ? '1 problem' : `${one.problems.length} problems`;
  return [...one.problems.map(problemInWords), `${one.file} cannot be used: ${count}.`].join('\n');
}

async function writeSchema(command: Command, options: { write?: true | string }): Promise<void> {
  const text = planJsonSchemaText();
  if (options.write === undefined) return print(command, text.trimEnd());
  const file = options.write === true ? 'examples/plan.schema.json' : options.write;
  await writeFile(file, text).catch((error: Error) => {
    throw new Problem('badInput', `The schema cannot be written to ${file}: ${error.message}.`);
  });
  print(command, `The schema of a plan was written to ${file}.`);
}

function print(command: Command, text: string): void {
  command.configureOutput().writeOut?.(`${text}\n`);
}
