import { cutOff } from '../evidence/cut-off.ts';
import type { Evidence } from '../evidence/evidence.ts';
import type { Cli, UsualOptions } from './cli.ts';
import { type Engine, Silence } from './engine/engine.ts';
import { storedEvidence } from './plans.ts';
import { Problem } from './problem.ts';

/**
 * The evidence of a run: from the run itself while Temporal and a control worker answer, else from the store.
 * The store needs LIFEBOAT_PLANS, which tell where it is; it outlives Temporal's retention, and Temporal itself.
 */
export async function evidenceOf(cli: Cli, options: UsualOptions, run: string): Promise<Evidence> {
  const asked = await fromEngine(cli, options, run);
  if (asked.evidence !== undefined) return asked.evidence;
  const stored = await storedEvidence(cli.environment, run);
  if (stored.evidence !== undefined) return stored.evidence;
  throw new Problem(asked.exit, [`There is no evidence of ${run}.`, asked.why, ...stored.why].join('\n  '));
}

type Asked = { evidence: Evidence } | { evidence?: undefined; exit: Problem['exit']; why: string };

async function fromEngine(cli: Cli, options: UsualOptions, run: string): Promise<Asked> {
  try {
    const engine = await cli.connect(options.profile);
    try {
      return await fromRun(engine, run);
    } finally {
      await engine.close();
    }
  } catch (error) {
    if (error instanceof Problem && error.exit !== 'badInput') return { exit: error.exit, why: error.message };
    throw error;
  }
}

async function fromRun(engine: Engine, run: string): Promise<Asked> {
  const watched = engine.watch(run);
  const { status, endedAt } = await watched.state();
  try {
    const evidence = await watched.evidence();
    if (evidence !== undefined) {
      const end = endedAt === undefined ? {} : { endedAt: endedAt.toISOString() };
      return { evidence: status === 'running' ? evidence : cutOff(evidence, { status, ...end }) };
    }
  } catch (error) {
    if (!(error instanceof Silence)) throw error;
    return { exit: 'nobodyWorks', why: 'No control worker answers for it: start lifeboat-control.' };
  }
  if (status === 'running')
    return { exit: 'notFound', why: 'The run has not read its plan yet: ask again in a moment.' };
  const { failure } = await watched.ending();
  const why = failure === undefined ? '' : ` ${failure.type}: ${failure.message}`;
  return { exit: 'notFound', why: `It ended (${status}) before it had any.${why}` };
}
