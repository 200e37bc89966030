import { readFile, writeFile } from 'node:fs/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { parseDocument } from 'yaml';
import type { Evidence } from '../../../evidence/evidence.ts';
import { type Scenario, start, until } from '../drill/scenario.ts';

/** Starts a run with other budgets than the plan's, which is put back once the run has read it. */
export async function startWith(
  scenario: Scenario,
  workflow: string,
  input: object,
  phases: Record<string, string>,
): Promise<WorkflowHandle> {
  const { planFile } = scenario.estate;
  const before = await readFile(planFile, 'utf8');
  const plan = parseDocument(before);
  for (const [phase, budget] of Object.entries(phases)) plan.setIn(['phases', phase], budget);
  await writeFile(planFile, plan.toString({ lineWidth: 0 }));
  try {
    const handle = await start(scenario, workflow, input);
    await until('the run has read its plan', () => handle.query<Evidence>('evidence').catch(() => undefined));
    return handle;
  } finally {
    await writeFile(planFile, before);
  }
}
