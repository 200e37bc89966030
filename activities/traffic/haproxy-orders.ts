/** What is said to HAProxy. It answers a command that had no effect with silence, too: whoever gives one reads back what came of it. */
import { rename, writeFile } from 'node:fs/promises';
import { failure } from '../failure.ts';
import { ask } from './haproxy-socket.ts';

/** A backend of a HAProxy, as a plan names it. */
export interface Balancer {
  socket: string;
  backend: string;
  stateFile?: string | undefined;
}

/** Commands are divided by semicolons and spaces: a name that holds one would be another command. */
export function nameOf({ backend }: Balancer, server: string): string {
  const name = `${backend}/${server}`;
  if (/^[A-Za-z0-9_.:-]+\/[A-Za-z0-9_.:-]+$/.test(name)) return name;
  throw failure(
    'PlanInvalid',
    `${JSON.stringify(name)} is no name of a server of HAProxy. Correct the backend in the plan.`,
  );
}

/** Success is silence. @see HAProxy Management Guide */
export async function tell({ socket }: Balancer, commands: string[]): Promise<void> {
  const answer = (await ask(socket, commands.join('; '))).trim();
  if (answer !== '')
    throw failure(
      'TrafficUnreachable',
      `HAProxy at ${socket} answered "${answer.slice(0, 200)}" to "${commands.join('; ')}"; expected silence, by which it says that it has done it. Its socket needs "level admin".`,
    );
}

/** So that a reload of HAProxy does not take back what was said to it. */
export async function keep({ socket, stateFile }: Balancer): Promise<void> {
  if (stateFile === undefined) return;
  const states = await ask(socket, 'show servers state');
  try {
    await writeFile(`${stateFile}.new`, states);
    await rename(`${stateFile}.new`, stateFile);
  } catch (error) {
    throw failure(
      'TrafficUnreachable',
      `${stateFile} cannot be written by the control worker (${error instanceof Error ? error.message : String(error)}): a reload of HAProxy would take back what was said to it. Correct stateFile in the plan, or leave it out where the control worker does not run beside HAProxy.`,
      error,
    );
  }
}
