import type { PulseSettings } from '../../plan/schema.ts';
import { microseconds } from '../../recovery/moment.ts';
import type { ControlReads } from '../contract.ts';
import { failure } from '../failure.ts';
import type { PulseComparison } from '../shapes.ts';
import { type Question, type Tally, tally } from './compare.ts';
import { type Entry, type LogFile, logFiles, readLog } from './log.ts';

const day = 24 * 60 * 60 * 1_000;
const most = 20;
/** Microseconds. Silent for longer than this, the pulse was not at work, and nobody knows what was acknowledged. */
const silence = 60 * 1_000_000;

/**
 * Every acknowledged pulse up to the end of recovery must have come back; those past it are the loss.
 * Reports what is missing, and leaves the verdict to the caller.
 *
 * @throws PulseSilent there is no log, or nothing in it
 */
export async function comparePulses(ask: Parameters<ControlReads['comparePulses']>[0]): Promise<PulseComparison> {
  const { service, pulse, ...question } = ask;
  const files = await filesOf(pulse, service, question.since);
  const sum = await tally(entriesOf(files), question);
  if (sum.lastAttempt === undefined) throw silent(pulse, `holds no pulse from before ${question.momentAt}`);
  return {
    acknowledged: sum.acknowledged,
    missing: sum.missing.length,
    examples: sum.missing.slice(0, most),
    ...(sum.newest === undefined ? {} : { newest: sum.newest }),
    lost: sum.lost,
    ...(sum.lastAcknowledged === undefined ? {} : { lastAcknowledgedAt: sum.lastAcknowledged }),
    ...(sum.setBackMs === undefined ? {} : { setBackMs: sum.setBackMs }),
    found: say(sum, question),
    expected: `every pulse write acknowledged since ${question.since} with an LSN up to ${question.upTo}`,
  };
}

/** @param since by the database's clock; all of them when absent */
export async function filesOf(pulse: PulseSettings, service: string | undefined, since?: string): Promise<LogFile[]> {
  const all = await logFiles(pulse.log).catch((error: unknown) => {
    throw silent(pulse, `cannot be read here (${error instanceof Error ? error.message : String(error)})`);
  });
  const services = [...new Set(all.map((file) => file.service))];
  if (service === undefined && services.length > 1)
    throw failure(
      'PlanInvalid',
      `${pulse.log} holds the pulses of several services (${services.join(', ')}). Give each service a directory of its own as pulse.log in its plan.`,
    );
  // A day more: the writer's clock names the file, the database's clock is what `since` was read from.
  const from = since === undefined ? '' : new Date(Date.parse(since) - day).toISOString().slice(0, 10);
  const files = all.filter((file) => (service === undefined || file.service === service) && file.day >= from);
  if (files.length === 0)
    throw silent(pulse, `holds no log of ${service ?? 'the service'}${from === '' ? '' : ` since ${from}`}`);
  return files;
}

export function silent(pulse: PulseSettings, what: string): Error {
  return failure(
    'PulseSilent',
    `${pulse.log} ${what}; expected the log of acknowledged pulse writes. Start lifeboat-pulse where this control worker can read its log, and let it run.`,
  );
}

export async function* entriesOf(files: LogFile[]): AsyncGenerator<Entry> {
  for (const file of files) yield* readLog(file);
}

function say(sum: Tally, { upTo, momentAt }: Question): string {
  const back = sum.acknowledged - sum.missing.length;
  const quiet = microseconds(momentAt) - microseconds(sum.lastAttempt ?? momentAt);
  return [
    `${back} of ${sum.acknowledged} acknowledged pulse writes up to ${upTo} came back`,
    `${sum.lost} acknowledged after it, before ${momentAt}, did not`,
    ...(sum.failed > 0 ? [`${sum.failed} attempts were not acknowledged`] : []),
    ...(quiet > silence
      ? [
          `no pulse was tried in the last ${Math.round(quiet / 1_000_000)} s before that moment, so the loss may be smaller than measured`,
        ]
      : []),
  ].join('; ');
}
