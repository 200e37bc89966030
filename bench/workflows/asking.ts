/** A runbook that only asks people, as often as it is told, and the same without the layer that runbooks stand on. */
import { condition, proxyActivities, setHandler } from '@temporalio/workflow';
import type { ControlReads } from '../../activities/contract.ts';
import type { RunSummary } from '../../evidence/evidence.ts';
import { controlQueue, type SwitchoverInput } from '../../workflows/messages.ts';
import type { Run } from '../../workflows/runbook/run.ts';
import { runbook } from '../../workflows/runbook/runbook.ts';
import { afterQuestion, bareQuery, yesUpdate } from './questions.ts';

export interface Questions extends SwitchoverInput {
  questions: number;
}

/** As many as a switchover has before it asks. */
const steps = 12;

const numbers = (count: number): number[] => Array.from({ length: count }, (_none, index) => index + 1);
const question = (number: number): string => `Question ${number}`;

/** Takes the place of a switchover: live, with its phases, and each step one activity that does next to nothing. */
export async function asking({ questions, ...input }: Questions): Promise<RunSummary> {
  return runbook<SwitchoverInput>(
    {
      name: 'switchover',
      title: 'Questions',
      phases: ['assessment', 'traffic'],
      outcomes: { good: 'completed', bad: 'failed' },
      alwaysUndo: false,
      approvals: numbers(questions).map(question),
    },
    input,
    async (run) => {
      const look = () => run.control.resolveSecrets({ names: [] });
      await run.phase('assessment', async () => {
        for (const step of numbers(steps)) await run.check(`Look ${step}`, look);
      });
      await run.phase('traffic', async () => {
        for (const number of numbers(questions)) {
          await run.approval(question(number), () => facts(run, number));
          await run.check(afterQuestion(number), look);
        }
      });
    },
  );
}

/** Read before the question, and once more when the quorum is there; as many as people are shown before a switchover. */
async function facts(run: Run<SwitchoverInput>, number: number) {
  const { found } = await run.control.resolveSecrets({ names: [] });
  return {
    subject: { question: number, from: 'db1', to: 'db2', timeline: 1, 'system identifier': '7000000000000000000' },
    shown: {
      looked: found,
      'the standby is behind by': '0 B',
      'sessions that will be ended': 12,
      'files that wait for the archive': 0,
      'what happens next': 'nothing at all, which takes no longer than anything else that is only written here',
    },
  };
}

/** An update handler and a condition, as a developer would begin. */
export async function bareAsking({ questions }: Pick<Questions, 'questions'>): Promise<void> {
  const { resolveSecrets } = proxyActivities<Pick<ControlReads, 'resolveSecrets'>>({
    taskQueue: controlQueue,
    startToCloseTimeout: '1m',
  });
  let open = 0;
  let yes = 0;
  setHandler(yesUpdate, () => {
    yes += 1;
    return `question ${yes} is approved`;
  });
  setHandler(bareQuery, () => open);
  for (open = 1; open <= questions; open += 1) {
    await condition(() => yes >= open);
    await resolveSecrets({ names: [] });
  }
}
