import { readFile, writeFile } from 'node:fs/promises';
import type { Scenario } from '../drill/scenario.ts';
import { inYaml } from '../in-yaml.ts';

/** Changes what the plan says at some places (`drills.monthly.keepFree`), and puts it back afterwards. */
export async function changingPlan<T>(
  { estate }: Scenario,
  changes: Record<string, unknown>,
  body: () => Promise<T>,
): Promise<T> {
  const before = await readFile(estate.planFile, 'utf8');
  await inYaml(estate.planFile, changes);
  try {
    return await body();
  } finally {
    await writeFile(estate.planFile, before);
  }
}
