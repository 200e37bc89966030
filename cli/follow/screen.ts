/** A run for people: each step as it is done, a passing line for what goes on, and how it ended. */
import type { Evidence } from '../../evidence/evidence.ts';
import { forecastSentence } from '../../evidence/render/people-words.ts';
import { terminalAsked } from '../../evidence/render/terminal/people.ts';
import { terminalClosing, terminalSteps } from '../../evidence/render/terminal.ts';
import { seenAt } from '../../evidence/seen-at.ts';
import type { Ending, PendingActivity, Silence } from '../engine/engine.ts';
import type { Terminal } from '../terminal.ts';
import type { Viewer } from './follow.ts';
import { goingLine, progressLine } from './progress.ts';

// Where nobody looks on, a long restore still shows in the log that it moves.
const progressEveryMs = 30_000;

export function screen(terminal: Terminal, run: string, address: string): Viewer {
  const printed = new Set<string>();
  const progress = new Progress(terminal);
  const late = new Lateness(terminal);
  const steps = (evidence: Evidence) => {
    const look = { color: terminal.color };
    for (const line of [...terminalSteps(evidence, printed, look), ...terminalAsked(evidence, printed, look)])
      terminal.result(line);
    late.show(evidence);
  };
  return {
    saw({ evidence, state }) {
      if (evidence !== undefined) steps(evidence);
      progress.show(evidence, state.pending);
    },
    ...silences(terminal, address),
    ended({ ending, evidence }) {
      terminal.passing('');
      if (evidence !== undefined) steps(evidence);
      terminal.result(endInWords(run, ending, evidence, terminal.color));
    },
  };
}

/** For commands whose answer is one document at the end: only who is silent is said meanwhile. */
export function quiet(terminal: Terminal, address: string): Viewer {
  return { saw: () => undefined, ...silences(terminal, address), ended: () => undefined };
}

function silences(terminal: Terminal, address: string): Pick<Viewer, 'silent' | 'answers'> {
  return {
    silent: (of) => terminal.message(silence(of, address)),
    answers: (of) =>
      terminal.message(of === 'engine' ? 'Temporal answers again.' : 'The control worker answers again.'),
  };
}

function silence(of: Silence['of'], address: string): string {
  return of === 'engine'
    ? `Temporal at ${address} is silent. The run goes on as soon as it is back; still asking.`
    : 'The control worker is silent: nothing new can be seen, and no new step begins, until lifeboat-control runs again. Still asking.';
}

/** The closing lines of the report, or, for a run that never had one, why. */
function endInWords(run: string, ending: Ending, evidence: Evidence | undefined, color: boolean): string {
  if (evidence !== undefined && evidence.outcome !== 'running') return closing(run, evidence, ending, color);
  const { status, summary, failure } = ending;
  if (summary !== undefined) {
    const why = summary.failure === undefined ? '' : `\n${summary.failure.type}: ${summary.failure.message}`;
    return `${run} ended ${summary.outcome}.${why}\nEvidence ${summary.evidence}`;
  }
  return `${run} ${status === 'timed-out' ? 'timed out' : status}.${failure === undefined ? '' : ` ${failure.type}: ${failure.message}`}`;
}

function closing(run: string, evidence: Evidence, { summary, written }: Ending, color: boolean): string {
  const where = (summary ?? written)?.evidence;
  const stored = where === undefined ? [] : [`Evidence ${where}`];
  return ['', ...terminalClosing(evidence, { color }), `Report   lifeboat report ${run}`, ...stored].join('\n');
}

class Progress {
  readonly #terminal: Terminal;
  #said = '';
  #saidAt = Date.now();

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show(evidence: Evidence | undefined, pending: readonly PendingActivity[]): void {
    if (this.#terminal.live) {
      const going = goingLine(evidence, pending, new Date());
      this.#terminal.passing(going === '' ? '' : `  … ${going}`);
      return;
    }
    // A countdown, like a question, is for somebody who looks on: a log has the question and its deadline already.
    const line = progressLine(evidence, pending);
    if (line === '' || line === this.#said || Date.now() - this.#saidAt < progressEveryMs) return;
    this.#terminal.message(`  … ${line}`);
    this.#said = line;
    this.#saidAt = Date.now();
  }
}

/** Says when a run is first expected to be late, and when no longer. */
class Lateness {
  readonly #terminal: Terminal;
  #late = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show(known: Evidence): void {
    const evidence = seenAt(known, new Date().toISOString());
    const late = evidence.outcome === 'running' && evidence.forecast?.lateByMs !== undefined;
    if (late === this.#late || evidence.outcome !== 'running') return;
    this.#late = late;
    this.#terminal.result(`  ${late ? '!' : '·'} ${forecastSentence(evidence)}`);
  }
}
