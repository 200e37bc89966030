import { readFile, writeFile } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import type { Scenario } from '../drill/scenario.ts';

/** Changes what the plan says at some places (`drills.monthly.keepFree`), and puts it back afterwards. */
export async function changingPlan<T>(
  { estate }: Scenario,
  changes: Record<string, unknown>,
  body: () => Promise<T>,
): Promise<T> {
  const before = await readFile(estate.planFile, 'utf8');
  const plan = parseDocument(before);
  for (const [path, value] of Object.entries(changes)) plan.setIn(path.split('.'), value);
  await writeFile(estate.planFile, plan.toString({ lineWidth: 0 }));
  try {
    return await body();
  } finally {
    await writeFile(estate.planFile, before);
  }
}
