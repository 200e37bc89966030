/** The run that somebody wants to say something to: what it asks, while it can still be said. */
import type { Evidence } from '../../evidence/evidence.ts';
import { verdictWord } from '../../evidence/render/words.ts';
import type { Cli } from '../cli.ts';
import { type Engine, Silence, type WatchedRun } from '../engine/engine.ts';
import { type IdentityOptions, myName } from '../keys/me.ts';
import { Problem } from '../problem.ts';

/** @throws Problem when it has ended, has not begun, or no control worker answers: then nothing was sent */
export async function evidenceNow(engine: Engine, watched: WatchedRun): Promise<Evidence> {
  const { status } = await watched.state();
  if (status !== 'running') throw await itIsOver(watched);
  const evidence = await orNobody(engine, watched.run, () => watched.evidence());
  if (evidence !== undefined) return evidence;
  throw new Problem('notAccepted', `${watched.run} has not read its plan yet, and asks nobody: try again in a moment.`);
}

/** @throws Problem when no control worker answers */
export async function orNobody<T>(engine: Engine, run: string, question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (error) {
    if (!(error instanceof Silence) || error.of !== 'workers') throw error;
    throw new Problem(
      'nobodyWorks',
      `No control worker answers for ${run} (namespace ${engine.namespace} at ${engine.address}): nothing was sent. Start lifeboat-control, then try again.`,
    );
  }
}

/** How a run ended, for somebody who came too late. */
export async function itIsOver(watched: WatchedRun): Promise<Problem> {
  const { status, summary } = await watched.ending();
  const how = summary === undefined ? status : verdictWord({ outcome: summary.outcome });
  return new Problem(
    'notAccepted',
    `${watched.run} has ended (${how}): nothing is asked any more, and nothing was sent. See: lifeboat report ${watched.run}`,
  );
}

/**
 * Asks whoever sits here; where nobody does, what is needed instead is said.
 *
 * @throws Problem when it is not known who that is: nobody should say yes to something and only then hear that it cannot be sent
 */
export async function agreed(cli: Cli, options: IdentityOptions, question: string, instead: string): Promise<boolean> {
  if (cli.attended) await myName(cli, options);
  const answer = await cli.confirm(question);
  if (answer === undefined) cli.terminal.message(`Nothing was sent: nobody can be asked here. ${instead}`);
  else if (!answer) cli.terminal.message('Nothing was sent.');
  return answer === true;
}
