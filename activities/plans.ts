/** Plans are read here and nowhere else; a run carries its own copy from then on. */
import { readdir, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { closest } from 'fastest-levenshtein';
import { type LoadedPlan, loadPlanFile } from '../plan/load.ts';
import { PlanProblems } from '../plan/problems.ts';
import type { Plan } from '../plan/schema.ts';
import { failure } from './failure.ts';
import type { Found } from './shapes.ts';

/** Names the folder, or the files with `:` between them. */
const variable = 'LIFEBOAT_PLANS';

/**
 * The plan of a service; without a service the only plan there is.
 *
 * @throws InputInvalid no such service, or several and none was named
 * @throws PlanInvalid the plan cannot be used: every problem with file, line and column
 */
export async function loadPlan({ service }: { service?: string }): Promise<LoadedPlan & Found> {
  const where = process.env[variable];
  if (where === undefined || where === '')
    throw failure(
      'PlanInvalid',
      `this worker knows no plans: set ${variable} to a folder, or to files with "${delimiter}" between them.`,
    );
  const read = await readPlans(await planFiles(where));
  const chosen = service === undefined ? onlyOne(read) : named(service, read);
  return {
    ...chosen,
    found: `plan of ${chosen.plan.service} from ${chosen.file}, sha256 ${chosen.sha256.slice(0, 12)}`,
  };
}

/**
 * The plan files that the variable names: of a folder every `.yaml` and `.yml`, in alphabetical order.
 *
 * @throws PlanInvalid a folder or file is not there, or a folder holds no plan
 */
export async function planFiles(where: string): Promise<string[]> {
  const files: string[] = [];
  for (const entry of where.split(delimiter).filter((part) => part !== '')) {
    const found = await stat(entry).catch(() => undefined);
    if (found === undefined) throw failure('PlanInvalid', `${variable} names ${entry}, which is not there.`);
    if (!found.isDirectory()) files.push(entry);
    else files.push(...(await yamlIn(entry)));
  }
  return [...new Set(files)];
}

async function yamlIn(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => /^[^.].*\.ya?ml$/.test(name)).sort();
  if (names.length === 0)
    throw failure('PlanInvalid', `${variable} names the folder ${folder}, which holds no plan (*.yaml).`);
  return names.map((name) => join(folder, name));
}

/** What each file was read as. Where many services have their plans, each run would else read all of them, and no worker does anything else meanwhile. */
const known = new Map<string, LoadedPlan>();

/**
 * Reads the file each time, and understands it anew only when its bytes have changed.
 *
 * @throws PlanProblems
 */
export async function readPlan(file: string): Promise<LoadedPlan> {
  const loaded = await loadPlanFile(file, known.get(file));
  known.set(file, loaded);
  return loaded;
}

interface ReadPlans {
  plans: LoadedPlan[];
  /** Files that hold no plan that can be used, each with what is wrong. */
  broken: { file: string; problems: PlanProblems }[];
}

async function readPlans(files: string[]): Promise<ReadPlans> {
  const read: ReadPlans = { plans: [], broken: [] };
  for (const file of files)
    try {
      read.plans.push(await readPlan(file));
    } catch (error) {
      if (!(error instanceof PlanProblems)) throw error;
      read.broken.push({ file, problems: error });
    }
  return read;
}

function onlyOne({ plans, broken }: ReadPlans): LoadedPlan {
  const [plan, ...others] = plans;
  if (others.length > 0 || (plan !== undefined && broken.length > 0))
    throw failure(
      'InputInvalid',
      `there are several services: name one of ${servicesOf(plans)}, such as {"service":"${plan?.plan.service}"}.`,
    );
  if (plan !== undefined) return plan;
  throw failure('PlanInvalid', problemsOf(broken) || `${variable} names no plan.`);
}

function named(service: string, { plans, broken }: ReadPlans): LoadedPlan {
  const [plan, other] = plans.filter((candidate) => candidate.plan.service === service);
  if (plan !== undefined && other !== undefined)
    throw failure('PlanInvalid', `service ${service} has two plans, ${plan.file} and ${other.file}: keep one.`);
  if (plan !== undefined) return plan;
  // A plan that cannot be read may be the one that is meant: nobody can tell.
  if (broken.length > 0)
    throw failure(
      'PlanInvalid',
      `there is no usable plan for service "${service}"${plans.length > 0 ? ` (there is one for ${servicesOf(plans)})` : ''}. ${problemsOf(broken)}`,
    );
  const near = closest(
    service,
    plans.map((candidate) => candidate.plan.service),
  );
  throw failure(
    'InputInvalid',
    `there is no plan for service "${service.slice(0, 60)}"; the nearest is "${near}", and there are: ${servicesOf(plans)}.`,
  );
}

function servicesOf(plans: LoadedPlan[]): string {
  return [...new Set(plans.map(({ plan }: { plan: Plan }) => plan.service))].sort().join(', ');
}

function problemsOf(broken: ReadPlans['broken']): string {
  return broken.map(({ problems }) => problems.message).join('\n');
}
