/** (g) How long somebody who approves waits for the answer, and the run for its next step. */
import { rowOf } from './findings.ts';
import { type PeopleGround, withControl } from './people-ground.ts';
import { type Answered, answeredBareRun, answeredRun } from './questions.ts';
import type { Findings, Row } from './result.ts';
import { compete } from './rounds.ts';
import { median, medianRatio, p99 } from './statistics.ts';

const contestants = ['lifeboat', 'bare'] as const;
/** As many as the longest runbooks ask. */
const questions = 4;
/** Three rounds make more than a hundred clicks; fewer where less than the usual is wanted. */
const runsEachRound = 9;

const words: Record<(typeof contestants)[number], string> = {
  lifeboat: 'Lifeboat',
  bare: 'a bare workflow',
};

export async function approvals(ground: PeopleGround, rounds: number, scale: number): Promise<Findings> {
  const runsEach = rounds * Math.max(1, Math.round(runsEachRound * Math.min(1, scale)));
  return withControl(ground, ground.estate.planFile, async () => {
    const runs = await compete(contestants, runsEach, (name) => {
      ground.signal.throwIfAborted();
      return name === 'lifeboat'
        ? answeredRun(ground, { service: 'orders', questions })
        : answeredBareRun(ground, questions);
    });
    const { lifeboat, bare } = { lifeboat: runs.lifeboat.flat(), bare: runs.bare.flat() };
    const starts = lifeboat.flatMap(({ toStartMs }) => toStartMs ?? []);
    ground.say(`(g) ${lifeboat.length} approvals, the next step after ${median(starts).toFixed(0)} ms at the median`);
    return {
      rows: [
        ...compared('approval round trip', { lifeboat, bare }, ({ roundTripMs }) => roundTripMs),
        rowOf('g', 'click to the start of the next step, as the evidence tells it', 'ms', starts),
        rowOf('g', 'click to the start of the next step: 99 of 100 took at most', 'ms', [p99(starts)]),
        ...compared('click until the engine has the next step', { lifeboat, bare }, ({ toNextStepMs }) => toNextStepMs),
      ],
      goals: [],
    };
  });
}

function compared(
  what: string,
  clicks: Record<(typeof contestants)[number], Answered[]>,
  measure: (click: Answered) => number,
): Row[] {
  const took = { lifeboat: clicks.lifeboat.map(measure), bare: clicks.bare.map(measure) };
  return [
    ...contestants.flatMap((name) => [
      rowOf('g', `${what}, ${words[name]}`, 'ms', took[name]),
      rowOf('g', `${what}, ${words[name]}: 99 of 100 took at most`, 'ms', [p99(took[name])]),
    ]),
    rowOf('g', `${what}, Lifeboat / bare workflow`, 'ratio', [medianRatio(took.lifeboat, took.bare)]),
  ];
}
