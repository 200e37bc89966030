/** The gateway's dialogs: what each shows, and what is read out of a submitted one. Pure. */
import type { InputBlock, KnownBlock, ModalView, PlainTextOption } from '@slack/types';
import { z } from 'zod';
import type { ButtonMeaning } from '../../activities/notify/slack-buttons.ts';
import { exact, inert, limits, mrkdwn, plain } from '../../activities/notify/slack-text.ts';
import { moment } from '../../recovery/moment.ts';
import type { RecoveryWindowResult } from '../../workflows/recovery-window.ts';
import type { ClickMeaning, Place } from './click.ts';

export const dialogs = { words: 'lifeboat:words', start: 'lifeboat:start', abort: 'lifeboat:abort' } as const;

const titleLength = 24;
const longestReason = 1_000;
const longestInput = 2_000;

/** What a click asks for beside the click itself. */
export type Wanted = 'note' | 'reject' | 'choose' | 'skip' | 'abort';

const wants: Record<Wanted, { title: string; submit: string; asks: string; optional?: true }> = {
  note: { title: 'Approve', submit: 'Approve', asks: 'A note for the record', optional: true },
  reject: { title: 'Reject', submit: 'Reject', asks: 'Why not?' },
  choose: { title: 'Choose', submit: 'Choose this', asks: 'A note for the record', optional: true },
  skip: { title: 'Skip the step', submit: 'Skip it', asks: 'Why can the run do without it?' },
  abort: { title: 'Abort the run', submit: 'Abort it', asks: 'Why?' },
};

const state = z.object({
  meaning: z.object({ run: z.string(), about: z.string(), code: z.string(), choice: z.string().optional() }),
  wanted: z.enum(['note', 'reject', 'choose', 'skip', 'abort']),
  value: z.enum(['time', 'text']).optional(),
  place: z.object({ channel: z.string(), thread: z.string().optional(), message: z.string().optional() }),
});

/** Asks for the words that belong to a click. @param facts what it is about, from `factsBlocks` */
export function wordsDialog(
  wanted: Wanted,
  { label = '', wants: value, ...meaning }: ButtonMeaning,
  place: Place,
  facts: readonly KnownBlock[] = [],
): ModalView {
  const { title, submit, asks, optional } = wants[wanted];
  const said = `*${inert(label)}*\nrun ${exact(meaning.run, 120)} · code ${exact(meaning.code, 40)}`;
  return {
    type: 'modal',
    callback_id: dialogs.words,
    title: plain(title, titleLength),
    submit: plain(submit, titleLength),
    close: plain('Not yet', titleLength),
    private_metadata: JSON.stringify({ meaning, wanted, ...(value && { value }), place }),
    blocks: [
      { type: 'section', text: mrkdwn(said) },
      ...facts,
      ...(value === undefined ? [] : [valueInput(value)]),
      input('reason', asks, { multiline: true, max_length: longestReason }, optional),
    ],
  };
}

function valueInput(value: 'time' | 'text'): InputBlock {
  if (value === 'text') return input('value', 'What exactly?', { max_length: 500 });
  const hint = 'With its offset: 2026-11-21T14:00:00Z';
  return { ...input('value', 'To which moment?', { max_length: 40 }), hint: plain(hint, 200) };
}

/** What was filled in, by block. */
export type Filled = Readonly<Record<string, string>>;

/** Out of `view.state.values`, which Slack sends. */
export function filledIn(values: unknown): Filled {
  const shape = z.record(z.string(), z.record(z.string(), z.unknown()));
  const field = z.object({
    value: z.string().nullish(),
    selected_option: z.object({ value: z.string() }).nullish(),
  });
  const read = shape.safeParse(values);
  if (!read.success) return {};
  return Object.fromEntries(
    Object.entries(read.data).flatMap(([block, elements]) => {
      const found = field.safeParse(Object.values(elements)[0]);
      const text = found.data?.value ?? found.data?.selected_option?.value ?? '';
      return [[block, text.trim()]];
    }),
  );
}

export interface WordsSaid {
  run: string;
  meaning: ClickMeaning;
  reason?: string;
  place: Place;
}

/** What a submitted dialog of words says; or what is wrong with it, by block. */
export function wordsSaid(
  metadata: string,
  filled: Filled,
): WordsSaid | { errors: Record<string, string> } | undefined {
  const read = state.safeParse(parsed(metadata));
  if (!read.success) return undefined;
  const { meaning, wanted, value, place } = read.data;
  const { reason = '', value: given = '' } = filled;
  const errors = {
    ...(value === 'time' && moment(given) !== undefined && { value: `This ${moment(given)}.` }),
    ...(value === 'text' && given === '' && { value: 'Write what is meant.' }),
    ...(wants[wanted].optional === undefined && reason === '' && { reason: 'Write why: it stands in the report.' }),
  };
  if (Object.keys(errors).length > 0) return { errors };
  return {
    run: meaning.run,
    meaning: clickOf(wanted, meaning, value === undefined ? undefined : given),
    place,
    ...(reason === '' ? {} : { reason }),
  };
}

function clickOf(wanted: Wanted, { about, code, choice }: ButtonMeaning, value: string | undefined): ClickMeaning {
  switch (wanted) {
    case 'reject':
      return { kind: 'reject', about, code };
    case 'skip':
    case 'abort':
      return { kind: 'decide', about, code, action: wanted };
    case 'note':
    case 'choose':
      return {
        kind: 'approve',
        about,
        code,
        ...(choice === undefined ? {} : { choice }),
        ...(value === undefined ? {} : { value }),
      };
  }
}

/** Shown at once, while what it will show is being asked for: Slack opens a dialog only within three seconds. */
export function waitingDialog(title: string, words: string): ModalView {
  return {
    type: 'modal',
    title: plain(title, titleLength),
    close: plain('Close', titleLength),
    blocks: [{ type: 'section', text: plain(words, limits.section) }],
  };
}

export interface StartForm {
  /** Runbooks that may be chosen, by name, with their words; the first is proposed. */
  runbooks: readonly { name: string; words: string }[];
  services: readonly string[];
  modes: readonly { mode: string; words: string }[];
  /** What is known of recovery windows by now, by service. */
  windows: ReadonlyMap<string, RecoveryWindowResult | { why: string } | 'asked'>;
  /** Whether a target may be given. */
  target: boolean;
  /** Whether there is room for further input. */
  free: boolean;
  place: Place;
}

export function startDialog(form: StartForm): ModalView {
  const options = (all: readonly { value: string; words: string }[]) => all.slice(0, 100).map(optionOf);
  return {
    type: 'modal',
    callback_id: dialogs.start,
    title: plain('Start a runbook', titleLength),
    submit: plain('Start', titleLength),
    close: plain('Not now', titleLength),
    private_metadata: JSON.stringify({ place: form.place }),
    blocks: [
      select('runbook', 'Runbook', options(form.runbooks.map(({ name, words }) => ({ value: name, words })))),
      select('service', 'Service', options(form.services.map((value) => ({ value, words: value })))),
      select('mode', 'Mode', options(form.modes.map(({ mode, words }) => ({ value: mode, words })))),
      ...windowLines(form),
      ...(form.target ? [targetInput()] : []),
      ...(form.free ? [freeInput()] : []),
    ],
  };
}

function targetInput(): InputBlock {
  const block = input('target', 'Recover to', { max_length: 40 }, true);
  return {
    ...block,
    hint: plain('A moment with its offset, 2026-11-21T14:00:00Z; the newest archived when empty', 200),
  };
}

function freeInput(): InputBlock {
  const block = input('input', 'Further input', { multiline: true, max_length: longestInput }, true);
  return { ...block, hint: plain('One JSON object, such as {"to":"db2"}', 200) };
}

function windowLines({ windows }: StartForm): KnownBlock[] {
  const lines = [...windows].map(([service, window]) => `*${inert(service)}* ${windowInWords(window)}`);
  return lines.length === 0 ? [] : [{ type: 'context', elements: lines.slice(0, 10).map((line) => mrkdwn(line)) }];
}

function windowInWords(window: RecoveryWindowResult | { why: string } | 'asked'): string {
  if (window === 'asked') return 'can be recovered from … (asking the archive)';
  if ('why' in window) return `: its recovery window is not known: ${inert(window.why)}`;
  if (window.from === undefined || window.to === undefined) return 'cannot be recovered from its backups';
  const gaps = window.gaps.length === 0 ? 'no gap' : `${window.gaps.length} gaps`;
  return `can be recovered from ${exact(window.from)} to ${exact(window.to)} (timeline ${window.timeline}, ${gaps})`;
}

/** Chooses among runs. */
export function chooseRunDialog(runs: readonly { run: string; words: string }[], place: Place): ModalView {
  return {
    type: 'modal',
    callback_id: dialogs.abort,
    title: plain('Abort a run', titleLength),
    submit: plain('Show what it does', titleLength),
    close: plain('Not now', titleLength),
    private_metadata: JSON.stringify({ place }),
    blocks: [
      select(
        'run',
        'Run',
        runs.slice(0, 100).map(({ run, words }) => optionOf({ value: run, words })),
      ),
    ],
  };
}

/** Shows what an abort would do, and asks why. @param shown from `abortBlocks` */
export function abortDialog(run: string, code: string, shown: KnownBlock[], place: Place): ModalView {
  return {
    type: 'modal',
    callback_id: dialogs.abort,
    title: plain('Abort the run', titleLength),
    submit: plain('Abort it', titleLength),
    close: plain('Not now', titleLength),
    private_metadata: JSON.stringify({ run, code, place }),
    blocks: [...shown, input('reason', 'Why?', { multiline: true, max_length: longestReason })],
  };
}

const abortState = z.object({ run: z.string().optional(), code: z.string().optional(), place: state.shape.place });

/** What the dialog of an abort holds: first a run to choose, then a code to confirm. */
export function abortSaid(metadata: string): z.output<typeof abortState> | undefined {
  return abortState.safeParse(parsed(metadata)).data;
}

export function startPlace(metadata: string): Place | undefined {
  return z.object({ place: state.shape.place }).safeParse(parsed(metadata)).data?.place;
}

interface TextOptions {
  multiline?: boolean;
  max_length: number;
}

function input(block: string, label: string, options: TextOptions, optional?: true): InputBlock {
  return {
    type: 'input',
    block_id: block,
    label: plain(label, 200),
    element: { type: 'plain_text_input', action_id: block, ...options },
    ...(optional && { optional }),
  };
}

function select(block: string, label: string, options: PlainTextOption[]): InputBlock {
  const [first] = options;
  return {
    type: 'input',
    block_id: block,
    label: plain(label, 200),
    element: { type: 'static_select', action_id: block, options, ...(first && { initial_option: first }) },
  };
}

function optionOf({ value, words }: { value: string; words: string }): PlainTextOption {
  return { text: plain(words, 75), value };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
