/** Installs what is missing: packages of the system first, in one go, and builds side by side with them. */
import { aptPackages, aptPackagesForTools, installPackages, updateApt } from './apt.ts';
import { buildPart, missingTools } from './build.ts';
import type { PartName, Say } from './part.ts';
import type { Recipe } from './recipe.ts';
import { recipeFor } from './recipes.ts';
import type { Surroundings } from './surroundings.ts';

/** Why a program could not be installed; nothing is said of one that a person has to install. */
export type Reasons = Map<PartName, string>;

interface Plan {
  recipe: Recipe;
  /** Packages that must be there first. */
  packages: string[];
}

export async function installParts(names: PartName[], around: Surroundings, say: Say): Promise<Reasons> {
  const reasons: Reasons = new Map();
  const plans = await plansFor(names.map(recipeFor), around, say);
  const packages = [...new Set(plans.flatMap((plan) => plan.packages))];
  const packagesInstalled = packages.length === 0 ? undefined : installPackages(packages, around, say);
  await Promise.all(
    plans.map(async ({ recipe, packages: first }) => {
      try {
        if (first.length > 0) await packagesInstalled;
        if (recipe.build !== undefined) await buildPart(recipe.build, around, say);
      } catch (error) {
        reasons.set(recipe.name, lastWords(error));
      }
    }),
  );
  return reasons;
}

/** Nothing is planned for what only a person can install: then the command says how. */
async function plansFor(recipes: Recipe[], around: Surroundings, say: Say): Promise<Plan[]> {
  const tools = new Map<Recipe, string[]>();
  for (const recipe of recipes) if (recipe.build) tools.set(recipe, await missingTools(recipe.build, around));
  const needsApt = recipes.some((recipe) => recipe.packages.apt || (tools.get(recipe) ?? []).length > 0);
  // A fresh machine's lists are empty or old: what apt says before the update is not what it has.
  if (mayUseApt(around) && needsApt) await updateApt(around, say);
  const plans: Plan[] = [];
  for (const recipe of recipes) {
    const packages = await packagesBefore(recipe, tools.get(recipe), around);
    if (packages !== undefined) plans.push({ recipe, packages });
  }
  return plans;
}

async function packagesBefore(recipe: Recipe, tools: string[] | undefined, around: Surroundings) {
  if (tools?.length === 0) return [];
  if (!mayUseApt(around)) return undefined;
  return tools === undefined ? aptPackages(recipe, around) : aptPackagesForTools(tools, around);
}

function mayUseApt({ packageManager, isRoot }: Surroundings): boolean {
  return packageManager === 'apt' && isRoot;
}

/** The end of what a command printed says why it failed. */
function lastWords(error: unknown): string {
  const printed = error instanceof Error && 'all' in error && typeof error.all === 'string' ? error.all.trim() : '';
  const words = printed === '' ? `${error instanceof Error ? error.message : error}` : printed;
  return words.split('\n').slice(-4).join('\n');
}
