/**
 * Block Kit as Slack takes it: structure and limits of what Lifeboat uses, and nothing else. What this refuses, Slack refuses; what is
 * not listed here was never tried there. https://docs.slack.dev/reference/block-kit
 */
import { z } from 'zod';

const upTo = (length: number) =>
  z
    .string()
    .min(1, 'must be more than 0 characters')
    .max(length, `must be less than ${length + 1} characters`);

const plainText = (length: number) =>
  z.strictObject({ type: z.literal('plain_text'), text: upTo(length), emoji: z.boolean().optional() });

const mrkdwn = (length: number) =>
  z.strictObject({ type: z.literal('mrkdwn'), text: upTo(length), verbatim: z.boolean().optional() });

const anyText = (length: number) => z.discriminatedUnion('type', [plainText(length), mrkdwn(length)]);

const confirm = z.strictObject({
  title: plainText(100),
  text: anyText(300),
  confirm: plainText(30),
  deny: plainText(30),
  style: z.enum(['primary', 'danger']).optional(),
});

const actionId = upTo(255);
const blockId = upTo(255).optional();

const button = z.strictObject({
  type: z.literal('button'),
  action_id: actionId,
  text: plainText(75),
  value: upTo(2000).optional(),
  url: upTo(3000).optional(),
  style: z.enum(['primary', 'danger']).optional(),
  confirm: confirm.optional(),
  accessibility_label: upTo(75).optional(),
});

const option = z.strictObject({
  text: plainText(75),
  value: upTo(150),
  description: plainText(75).optional(),
});

const options = z.array(option).min(1, 'no fewer than 1 items allowed').max(100, 'no more than 100 items allowed');

const select = z
  .strictObject({
    type: z.literal('static_select'),
    action_id: actionId,
    placeholder: plainText(150).optional(),
    options,
    initial_option: option.optional(),
    focus_on_load: z.boolean().optional(),
  })
  .superRefine(startsWithOneOfItsOwn);

const radio = z
  .strictObject({
    type: z.literal('radio_buttons'),
    action_id: actionId,
    options: z.array(option).min(1, 'no fewer than 1 items allowed').max(10, 'no more than 10 items allowed'),
    initial_option: option.optional(),
  })
  .superRefine(startsWithOneOfItsOwn);

const textInput = z.strictObject({
  type: z.literal('plain_text_input'),
  action_id: actionId,
  placeholder: plainText(150).optional(),
  initial_value: z.string().max(3000).optional(),
  multiline: z.boolean().optional(),
  min_length: z.int().min(0).max(3000).optional(),
  max_length: z.int().min(1).max(3000).optional(),
  focus_on_load: z.boolean().optional(),
});

const header = z.strictObject({ type: z.literal('header'), block_id: blockId, text: plainText(150) });

const section = z
  .strictObject({
    type: z.literal('section'),
    block_id: blockId,
    text: anyText(3000).optional(),
    fields: z
      .array(anyText(2000))
      .min(1, 'no fewer than 1 items allowed')
      .max(10, 'no more than 10 items allowed')
      .optional(),
    expand: z.boolean().optional(),
  })
  .refine(({ text, fields }) => text !== undefined || fields !== undefined, 'missing required field: text or fields');

const context = z.strictObject({
  type: z.literal('context'),
  block_id: blockId,
  elements: z.array(anyText(3000)).min(1, 'no fewer than 1 items allowed').max(10, 'no more than 10 items allowed'),
});

const actions = z.strictObject({
  type: z.literal('actions'),
  block_id: blockId,
  elements: z
    .array(z.discriminatedUnion('type', [button, select]))
    .min(1, 'no fewer than 1 items allowed')
    .max(25, 'no more than 25 items allowed')
    .superRefine((elements, issues) =>
      unique(
        elements.map(({ action_id }) => action_id),
        'action_id',
        issues,
      ),
    ),
});

const divider = z.strictObject({ type: z.literal('divider'), block_id: blockId });

const input = z.strictObject({
  type: z.literal('input'),
  block_id: blockId,
  label: plainText(2000),
  element: z.discriminatedUnion('type', [textInput, select, radio]),
  hint: plainText(2000).optional(),
  optional: z.boolean().optional(),
  dispatch_action: z.boolean().optional(),
});

const block = z.discriminatedUnion('type', [header, section, context, actions, divider, input]);

const blocks = (most: number) =>
  z
    .array(block, 'must be a list of blocks')
    .max(most, `no more than ${most} items allowed`)
    .superRefine((all, issues) =>
      unique(
        all.flatMap(({ block_id }) => (block_id === undefined ? [] : [block_id])),
        'block_id',
        issues,
      ),
    );

export const messageBlocks = blocks(50);

export const modal = z
  .strictObject({
    type: z.literal('modal'),
    callback_id: upTo(255).optional(),
    title: plainText(24),
    submit: plainText(24).optional(),
    close: plainText(24).optional(),
    private_metadata: z.string().max(3000, 'must be less than 3001 characters').optional(),
    blocks: blocks(100),
    clear_on_close: z.boolean().optional(),
    notify_on_close: z.boolean().optional(),
    external_id: z.string().max(255).optional(),
  })
  .superRefine(({ blocks: all, submit }, issues) => {
    if (submit === undefined && all.some(({ type }) => type === 'input'))
      issues.addIssue({ code: 'custom', path: ['submit'], message: 'missing required field: submit' });
  });

export type Block = z.output<typeof block>;
export type Button = z.output<typeof button>;
export type Confirm = z.output<typeof confirm>;
export type Input = z.output<typeof input>;
export type Modal = z.output<typeof modal>;
export type Text = { type: 'plain_text' | 'mrkdwn'; text: string };

/** In Slack's own form: what is wrong, and where. */
export function wrongWith(error: z.ZodError, at: 'blocks' | 'view'): string[] {
  return error.issues.map(
    ({ message, path }) => `[ERROR] ${message} [json-pointer:/${[at, ...path.map(String)].join('/')}]`,
  );
}

type Option = z.output<typeof option>;

function startsWithOneOfItsOwn(
  { options: all, initial_option: first }: { options: Option[]; initial_option?: Option | undefined },
  issues: z.RefinementCtx,
): void {
  if (first === undefined || all.some((one) => JSON.stringify(one) === JSON.stringify(first))) return;
  issues.addIssue({ code: 'custom', path: ['initial_option'], message: 'must be one of the options' });
}

function unique(names: string[], what: string, issues: z.RefinementCtx): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) issues.addIssue({ code: 'custom', message: `\`${what}\` ${twice} already exists` });
}
