/** Faults of the object store, each begun at a chosen moment of a run. */
import type { WorkflowHandle } from '@temporalio/client';
import type { Evidence, Step } from '../../../evidence/evidence.ts';
import type { Door, FaultRule } from '../../../lab/faults.ts';
import { type Scenario, until } from '../drill/scenario.ts';

/** When a run stands on the store, told by the first request of its kind. */
export interface Moment {
  /** Step that is going on then, or has to be reached before the requests are looked at. */
  after?: string;
  method: string;
  /** RUN stands for the run's name: evidence of others may be on its way too. */
  path: string;
  /** Requests that are answered some seconds late. */
  slowed?: string;
  /** Until this step the requests stay unanswered: segments are fetched ahead, and must not be there when it begins. */
  heldUntil?: RegExp;
}

/** Its last question of the store is answered late, so that there is time before the restore, which fetches WAL ahead. */
const lastOfAssessment = 'assessment/what-a-drill-leaves-out-is-named';

export const moments = {
  'the archive check': { after: 'assessment/the-wal-archive-answers', method: 'GET|HEAD', path: '^/backups/' },
  'the restore': {
    after: 'database/restore-the-backup-beside',
    method: 'GET',
    path: '^/backups/.*/backup/orders/\\d.*/(bundle|pg_data)',
  },
  'the restore of a recovery': {
    after: 'database/restore-the-backup-beside-on-db1',
    method: 'GET',
    path: '^/backups/.*/backup/orders/\\d.*/(bundle|pg_data)',
  },
  'the fetching of WAL': {
    after: lastOfAssessment,
    slowed: '^/evidence.*proven',
    method: 'GET',
    path: '^/backups/.*/archive/orders/.*/[0-9A-F]{24}-',
  },
  'the replay': {
    after: lastOfAssessment,
    slowed: '^/evidence.*proven',
    method: 'GET',
    path: '^/backups/.*/archive/orders/.*/[0-9A-F]{24}-',
    heldUntil: /^database\/(replay-to-the-anchor|roll-forward-to-the-target)$/,
  },
  'the evidence': { method: 'PUT', path: '^/evidence/.*/runs/RUN/' },
  'the backup': { after: 'database/take-a-full-backup', method: 'PUT', path: '^/backups/.*/backup/orders/\\d' },
} as const satisfies Record<string, Moment>;
export type MomentName = keyof typeof moments;

/** What befalls the store, and how that is over. */
export interface Trouble {
  name: string;
  begin(scenario: Scenario): Promise<void>;
  end(scenario: Scenario): Promise<void>;
}

const clear = ({ estate }: Scenario) => estate.faults.clear();

export const byRule = (name: string, ...rules: FaultRule[]): Trouble => ({
  name,
  begin: async ({ estate }) => {
    for (const rule of rules) await estate.faults.add(rule);
  },
  end: clear,
});

export const byDoor = (name: string, door: Door): Trouble => ({
  name,
  begin: ({ estate }) => estate.faults.door(door),
  end: clear,
});

export const refused: Trouble = {
  name: 'refuses connections',
  begin: ({ estate }) => estate.process('fault-proxy').kill('SIGKILL'),
  end: ({ estate }) => estate.process('fault-proxy').start(),
};

/** Waits for the run to make the moment's first request, and lets the trouble begin under it. */
export async function strike(
  scenario: Scenario,
  handle: WorkflowHandle,
  name: MomentName,
  trouble: Trouble,
): Promise<void> {
  const { faults } = scenario.estate;
  const moment: Moment = moments[name];
  if (moment.slowed !== undefined) await faults.add({ path: moment.slowed, fault: { kind: 'delay', ms: 4_000 } });
  await reaches(handle, (id) => id === moment.after, moment.after === undefined);
  if (moment.heldUntil !== undefined) {
    await faults.add({ method: moment.method, path: moment.path, fault: { kind: 'hang' } });
    await reaches(handle, (id) => moment.heldUntil?.test(id) === true);
    await faults.clear();
    return trouble.begin(scenario);
  }
  // The first such request is held for a moment: long enough that the trouble has begun when it goes on.
  const path = moment.path.replace('RUN', handle.workflowId);
  for (const method of moment.method.split('|'))
    await faults.add({ method, path, count: 1, fault: { kind: 'delay', ms: 1_500 } });
  await until(
    `a request of ${name}`,
    async () => ((await faults.list()).some(({ rule, struck }) => rule.path === path && struck > 0) ? true : undefined),
    120_000,
  );
  await trouble.begin(scenario);
}

async function reaches(handle: WorkflowHandle, step: (id: string) => boolean, already = false): Promise<void> {
  await until(
    'the run reaches the step',
    async () => {
      const { steps, outcome, failure } = await evidenceOf(handle);
      if (outcome !== 'running') throw new Error(`the run ended ${outcome} before that: ${failure?.message}`);
      return already || steps.some(({ id }) => step(id)) ? true : undefined;
    },
    120_000,
  );
}

function evidenceOf(handle: WorkflowHandle): Promise<Evidence> {
  return handle.query<Evidence>('evidence');
}

/** The step that says that it waits, as soon as one does. */
export function waitingStep(handle: WorkflowHandle): Promise<Step> {
  return until(
    'the run says that it waits',
    async () => {
      const { steps, outcome, failure } = await evidenceOf(handle);
      if (outcome !== 'running') throw new Error(`the run ended ${outcome}: ${failure?.type}: ${failure?.message}`);
      return steps.find((step) => step.state === 'running' && step.waits?.some((one) => one.until === undefined));
    },
    90_000,
  );
}
