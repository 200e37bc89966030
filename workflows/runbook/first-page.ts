/** The evidence of a run that has done nothing yet. */
import { workflowInfo } from '@temporalio/workflow';
import { type Evidence, evidenceSchema } from '../../evidence/evidence.ts';
import { notMeasuredYet } from '../../evidence/outcome.ts';
import { dataClassesOf, objectivesFor } from '../../plan/objectives.ts';
import type { Plan } from '../../plan/schema.ts';
import { modeOf } from '../inputs.ts';
import type { RunInput } from '../messages.ts';
import { version } from '../version.ts';
import type { Definition } from './definition.ts';

export function firstPage(
  definition: Omit<Definition, 'usualInput'>,
  input: RunInput,
  plan: Plan,
  read: Evidence['plan'],
): Evidence {
  const info = workflowInfo();
  const { rto, rpo } = objectivesFor(plan, definition.name);
  const classes = dataClassesOf(plan);
  return {
    schema: evidenceSchema,
    lifeboatVersion: version,
    run: info.workflowId,
    runId: info.originalExecutionRunId ?? info.runId,
    runbook: definition.name,
    title: definition.title,
    service: plan.service,
    mode: modeOf(definition.name, input),
    ...(input.requestedBy === undefined ? {} : { requestedBy: input.requestedBy }),
    input: withoutSignature(input),
    plan: read,
    startedAt: info.startTime.toISOString(),
    outcome: 'running',
    flags: [],
    objectives: { rtoMs: rto, rpoMs: rpo, ...(classes.length === 0 ? {} : { classes }) },
    rto: { objectiveMs: rto, how: notMeasuredYet },
    rpo: { objectiveMs: rpo, how: notMeasuredYet },
    phases: definition.phases.map((name) => ({ name, budgetMs: plan.phases[name], peopleMs: 0, retriesMs: 0 })),
    steps: [],
    measurements: [],
    notExercised: [],
    leftBehind: [],
  };
}

/** What it signs is the input: it is no part of it. Who has signed stands by itself in the evidence. */
function withoutSignature({ requestSignature: _, ...input }: RunInput): Evidence['input'] {
  return input;
}
