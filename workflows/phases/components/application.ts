/**
 * What is the same for every application that somebody keeps, whoever that is: how it is found, brought back, restarted, kept from running.
 * A kind only says who is asked.
 */
import { workflowInfo } from '@temporalio/workflow';
import type {
  ApplicationChanges,
  ApplicationComponent,
  ApplicationReads,
  ApplicationState,
} from '../../../activities/contract.ts';
import type { Found } from '../../../activities/shapes.ts';
import { durationText } from '../../../plan/duration.ts';
import type { Change, Preview } from '../../runbook/change.ts';
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import type { Stubs } from '../../runbook/step.ts';
import type { Bring, BringingBack, Standing } from './component.ts';

/** An application beyond being brought back: what people may want done to it. */
export interface Application extends BringingBack {
  beginAnew(): Promise<void>;
  /** Of the component. */
  readonly name: string;
  /** As the last look has found it. @throws Bug it was never looked at */
  readonly seen: ApplicationState;
  /** @param quiesce whether it may also be kept from being started */
  mayBeChanged(quiesce: boolean): Promise<void>;
  /** Nobody's help is needed where this returns something healthy. */
  comesBack(): Promise<Standing>;
  start(): Promise<void>;
  restart(): Promise<void>;
  quiesce(): Promise<void>;
  resume(): Promise<void>;
  /** As `bringBack`, without the proof at its end. */
  repair(): Promise<void>;
  /** It stays up and is healthy. Undefined in a dry run. */
  stands(): Promise<{ at: string } | undefined>;
}

/** As `Bring`, of a kind that can do more. */
export type BringApplication<C extends ApplicationComponent> = (...asked: Parameters<Bring<C>>) => Application;

export interface Kept {
  name: string;
  component: ApplicationComponent;
  /** As people know it: `orders.service on app1`. */
  called: string;
  ask: Stubs<ApplicationReads & ApplicationChanges>;
}

/** What is done to bring it back, as the preview has seen it. */
interface Way extends Found {
  how: 'nothing' | 'start' | 'restart' | 'resume';
  from: ApplicationState;
}

export function keptApplication(run: Run, kept: Kept): Application {
  const { name, component, ask } = kept;
  const application = component;
  let last: ApplicationState | undefined;
  const look = async (): Promise<ApplicationState> => {
    last = await ask.applicationState({ application });
    return last;
  };
  const stands = () => run.prove(`${name} stays up and is healthy`, () => ask.applicationStands({ application }));
  const restart = async () => void (await run.change(`Restart ${name}`, restartIt(kept, look)));
  const repair = async () => void (await run.change(`Bring ${name} back`, repairIt(kept, look)));
  return {
    name,
    get seen() {
      if (last === undefined) throw failure('Bug', `${name} was never looked at`);
      return last;
    },
    look: async () => {
      const state = await look();
      if (isHealthy(state)) return { healthy: true, ...wordsOf(state, component) };
      // What nobody can bring back is said before anything is changed.
      if (state.unfit !== undefined) throw failure('ApplicationUnfit', state.unfit);
      const { found } = await ask.applicationMayBeChanged({ application, quiesce: state.quiesced !== undefined });
      return { healthy: false, ...wordsOf(state, component), found: `${state.found}; ${found}` };
    },
    bringBack: async () => {
      await repair();
      await stands();
    },
    beginAnew: async () => {
      await restart();
      await stands();
    },
    repair,
    mayBeChanged: async (quiesce) =>
      void (await run.check(`${name} may be changed`, () => ask.applicationMayBeChanged({ application, quiesce }))),
    comesBack: () =>
      run.check<Standing>(`${name} comes back by itself`, async () => {
        const { back, state, ...told } = await ask.applicationComesBack({
          application,
          withinMs: component.comesBackWithin,
        });
        last = state;
        return { ...told, healthy: back };
      }),
    start: async () => void (await run.change(`Start ${name}`, startIt(kept, look))),
    restart,
    quiesce: async () => {
      await run.change(`Quiesce ${name}`, quiesceIt(kept, look));
      await run.prove(`${name} is quiet`, () => ask.applicationIsQuiet({ application }));
    },
    resume: async () => void (await run.change(`Resume ${name}`, resumeIt(kept, look))),
    stands,
  };
}

function wordsOf({ found, expected, log }: ApplicationState, { healthy }: ApplicationComponent): Found {
  return {
    found,
    ...(expected === undefined ? {} : { expected: healthy === undefined ? expected : `${expected}, and healthy` }),
    ...(log === undefined ? {} : { log }),
  };
}

function repairIt(kept: Kept, look: () => Promise<ApplicationState>): Change<Way> {
  const { ask, component: application, called } = kept;
  return {
    preview: async () => {
      const from = await look();
      if (from.unfit !== undefined) throw failure('ApplicationUnfit', from.unfit);
      const how = wayBack(from);
      return {
        will: `${inWords(how)} ${called} (${from.found})`,
        yields: { how, from, found: `${called} would be up` },
      };
    },
    apply: async ({ yields }) => {
      const { how, from } = yields;
      switch (how) {
        case 'nothing':
          return { ...yields, found: `left alone: ${from.found}` };
        case 'restart':
          return { ...yields, ...(await ask.restartApplication({ application, from })) };
        case 'resume':
          return { ...yields, ...(await ask.resumeApplication({ application, from, start: true })) };
        case 'start':
          return { ...yields, ...(await ask.startApplication({ application, from })) };
      }
    },
    undo: ({ yields: { how, from } }) => takeBack(kept, how, from),
  };
}

/** What it is asked for its health it has to answer well; without a question it is enough that it runs. */
export function isHealthy({ runs, health, unfit }: ApplicationState): boolean {
  return unfit === undefined && runs === 'up' && health?.healthy !== false;
}

function wayBack(from: ApplicationState): Way['how'] {
  if (isHealthy(from)) return 'nothing';
  if (from.quiesced !== undefined) return 'resume';
  return from.runs === 'up' || from.runs === 'changing' ? 'restart' : 'start';
}

function inWords(how: Way['how']): string {
  return { nothing: 'leave alone', start: 'start', restart: 'restart', resume: 'let run again, and start,' }[how];
}

/** What was down is down again; of what ran nothing can be taken back: it runs. */
async function takeBack({ ask, component, called }: Kept, how: Way['how'], from: ApplicationState): Promise<Found> {
  if (how === 'start') return ask.stopApplication({ application: component });
  if (how === 'resume') return ask.quiesceApplication({ application: component, from, by: thisRun() });
  return { found: `${called} is left as it runs: a restart cannot be taken back` };
}

function startIt(kept: Kept, look: () => Promise<ApplicationState>): Change<Found & { from: ApplicationState }> {
  const { ask, component: application, called } = kept;
  return {
    preview: async () => {
      const from = await look();
      const will =
        from.runs === 'up' ? `leave ${called} alone, for it runs (${from.found})` : `start ${called} (${from.found})`;
      return { will, yields: { from, found: `${called} would run` } };
    },
    apply: async ({ yields }) => ({ ...yields, ...(await ask.startApplication({ application, from: yields.from })) }),
    undo: ({ yields: { from } }) => takeBack(kept, from.runs === 'up' ? 'nothing' : 'start', from),
  };
}

function restartIt(
  { ask, component: application, called }: Kept,
  look: () => Promise<ApplicationState>,
): Change<Found & { from: ApplicationState }> {
  return {
    preview: async () => {
      const from = await look();
      return {
        will: `restart ${called} (${from.found}); it is away meanwhile, for ${durationText(application.stopsWithin + application.startsWithin)} at the most`,
        yields: { from, found: `${called} would be restarted` },
      };
    },
    apply: async ({ yields }) => ({ ...yields, ...(await ask.restartApplication({ application, from: yields.from })) }),
    undo: { pointOfNoReturn: `${called} runs by its new start: a restart cannot be taken back.` },
  };
}

function quiesceIt(
  { ask, component: application, called }: Kept,
  look: () => Promise<ApplicationState>,
): Change<Found & { from: ApplicationState }> {
  const by = thisRun();
  return {
    preview: async () => {
      const from = await look();
      return {
        will: `keep ${called} from being started, and stop it (${from.found})`,
        yields: { from, found: `${called} would be quiet` },
      };
    },
    apply: async ({ yields }) => ({
      ...yields,
      ...(await ask.quiesceApplication({ application, from: yields.from, by })),
    }),
    undo: ({ yields: { from } }) =>
      ask.resumeApplication({ application, from, by, start: from.runs === 'up' || from.runs === 'changing' }),
  };
}

function resumeIt(kept: Kept, look: () => Promise<ApplicationState>): Change<Found & { from: ApplicationState }> {
  const { ask, component: application, called } = kept;
  return {
    preview: async (): Promise<Preview<Found & { from: ApplicationState }>> => {
      const from = await look();
      const will =
        from.quiesced === undefined
          ? `start ${called}, which nobody keeps down`
          : `let ${called} run again, and start it`;
      return { will: `${will} (${from.found})`, yields: { from, found: `${called} would run` } };
    },
    apply: async ({ yields }) => ({
      ...yields,
      ...(await ask.resumeApplication({ application, from: yields.from, start: true })),
    }),
    undo: ({ yields: { from } }) => takeBack(kept, from.quiesced === undefined ? 'start' : 'resume', from),
  };
}

function thisRun(): string {
  return workflowInfo().workflowId;
}
