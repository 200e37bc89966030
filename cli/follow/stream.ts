/** A run for programs: one JSON object a line, one line for each thing that changed. */
import type { Evidence } from '../../evidence/evidence.ts';
import type { PendingActivity } from '../engine/engine.ts';
import { runAsJson } from '../run-as-json.ts';
import type { Terminal } from '../terminal.ts';
import type { Viewer } from './follow.ts';

/**
 * Lines: `{"event": "phase" | "step" | "approval" | "decision" | "forecast" | "progress" | "silent" | "answers" | "ended", "run": ..., ...}`.
 * The line of a step, an approval or a decision is its record in the evidence, each time that it has changed.
 */
export function stream(terminal: Terminal, run: string): Viewer {
  const said = new Map<string, string>();
  const say = (event: string, what: object) => terminal.result(JSON.stringify({ event, run, ...what }));
  const changed = (event: string, id: string, what: object) => {
    const text = JSON.stringify(what);
    if (said.get(`${event} ${id}`) === text) return;
    said.set(`${event} ${id}`, text);
    say(event, what);
  };
  const page = (evidence: Evidence) => {
    for (const phase of evidence.phases) if (phase.startedAt !== undefined) changed('phase', phase.name, { phase });
    for (const step of evidence.steps) changed('step', step.id, { step });
    for (const approval of evidence.approvals ?? []) changed('approval', approval.id, { approval });
    for (const decision of evidence.decisions ?? [])
      changed('decision', `${decision.step} ${decision.attempt}`, { decision });
    if (evidence.forecast !== undefined) changed('forecast', '', { forecast: evidence.forecast });
  };
  const progress = (pending: readonly PendingActivity[]) => {
    for (const activity of pending) changed('progress', activity.id, { activity });
  };
  return {
    saw({ evidence, state }) {
      if (evidence !== undefined) page(evidence);
      progress(state.pending);
    },
    silent: (of, message) => say('silent', { of, message }),
    answers: (of) => say('answers', { of }),
    ended({ ending, evidence }) {
      if (evidence !== undefined) page(evidence);
      say('ended', runAsJson(run, ending));
    },
  };
}
