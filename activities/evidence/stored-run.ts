import type { Evidence, Flag, Mode, Outcome } from '../../evidence/evidence.ts';
import { typeOf } from '../../evidence/kind-of-run.ts';
import { indexFolder, kindFolder, provenFolder } from './layout.ts';

/** One line of a service's list of runs: enough for a page, without reading the evidence. */
export interface StoredRun {
  run: string;
  runId: string;
  runbook: string;
  mode: Mode;
  /** Of a backup: full, differential, incremental. Of a backup of files: the component, where it was only one. */
  type?: string;
  startedAt: string;
  endedAt: string;
  outcome: Outcome;
  flags: Flag[];
  rtoMs?: number;
  rpoMs?: number;
  /** Type of its failure, where it has one. */
  failure?: string;
  /** Of the evidence: `s3://bucket/key`, or a path. */
  location: string;
}

export function storedRun(evidence: Evidence, location: string): StoredRun {
  const { run, runId, runbook, mode, startedAt, outcome, flags, rto, rpo } = evidence;
  const type = typeOf(evidence);
  return {
    run,
    runId,
    runbook,
    mode,
    ...(type === undefined ? {} : { type }),
    startedAt,
    endedAt: endOf(evidence),
    outcome,
    flags,
    ...(rto.valueMs === undefined ? {} : { rtoMs: rto.valueMs }),
    ...(rpo.valueMs === undefined ? {} : { rpoMs: rpo.valueMs }),
    ...(evidence.failure === undefined ? {} : { failure: evidence.failure.type }),
    location,
  };
}

/** Evidence written before its run has ended is filed under the start. */
export function endOf(evidence: Evidence): string {
  return evidence.endedAt ?? evidence.startedAt;
}

/** Where the line of a run stands: among those of its kind, among all, and where it has proven something. */
export function listsOf(evidence: Evidence): string[] {
  const { service } = evidence;
  const proven = exercised(evidence).map((what) => provenFolder(service, what));
  return [kindFolder(service, evidence), indexFolder(service), ...proven];
}

/** What a live recovery goes through, and a drill does not. */
export const liveOnly = ['swap', 'traffic', 'people'] as const;

/** Only a live recovery that came to its end has shown that these work; it names itself what it left out. */
function exercised(evidence: Evidence): string[] {
  if (evidence.mode !== 'live' || evidence.outcome !== 'recovered') return [];
  const left = new Set(evidence.notExercised.map((one) => one.what));
  return liveOnly.filter((what) => !left.has(what));
}
