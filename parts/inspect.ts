/** Looks for one program: the variable that names it, PATH and the usual places, then the cache. */
import { commandFor } from './command.ts';
import type { Inspection, MissingPart, PartName } from './part.ts';
import type { Candidate, Recipe } from './recipe.ts';
import { recipeFor } from './recipes.ts';
import type { Surroundings } from './surroundings.ts';
import { compareVersions } from './version.ts';

export async function inspect(name: PartName, around: Surroundings): Promise<Inspection> {
  const recipe = recipeFor(name);
  const named = around.env[recipe.variable];
  const candidates = named ? [{ path: named }] : await recipe.candidates(around);
  const rejected: string[] = [];
  for (const candidate of candidates) {
    const version = await versionOf(recipe, candidate);
    if (version !== undefined && compareVersions(version, recipe.lowest) >= 0)
      return { part: { name, version, path: candidate.path } };
    rejected.push(version === undefined ? `${candidate.path} is not usable` : `${candidate.path} is ${version}`);
  }
  return { missing: await missing(recipe, around, rejected) };
}

/** A candidate that cannot even be started is no candidate. */
async function versionOf(recipe: Recipe, candidate: Candidate): Promise<string | undefined> {
  if (candidate.version !== undefined) return candidate.version;
  return recipe.version(candidate.path).catch(() => undefined);
}

async function missing(recipe: Recipe, around: Surroundings, rejected: string[]): Promise<MissingPart> {
  const { name, title, purpose, variable, lowest } = recipe;
  const wanted = lowest === '0' ? title : `${title} ${lowest} or newer`;
  const seen = rejected.join(', ');
  if (around.env[variable])
    return { name, wanted, purpose, variable, reason: `${variable} is set, but ${seen}`, command: `unset ${variable}` };
  const command = await commandFor(recipe, around);
  return { name, wanted, purpose, reason: rejected.length === 0 ? 'not found' : seen, command };
}
