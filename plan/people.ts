/** Who is asked, who may say yes, where they are told: the plan's `people`. */
import { z } from 'zod';
import { duration, name, secret, text } from './values.ts';

const atLeastOne = 'the list is empty: name at least one';

/** As `lifeboat keys create` prints it: the 32 raw bytes of an Ed25519 public key, in base64. */
const publicKey = z
  .string()
  .regex(/^ed25519:[A-Za-z0-9+/]{43}=$/, 'not a public key: write what `lifeboat keys create` printed, ed25519:...');

const person = z.strictObject({
  name: text.describe('As reports name them'),
  slack: z
    .string()
    .regex(/^[UW][A-Z0-9]{2,}$/, "not a Slack user id: write the member's id, such as U012AB3CD")
    .optional(),
  keys: z.array(publicKey).default([]).describe('Public halves of the keys that this person signs with'),
});

/** What runbooks ask people to approve, by the names that a plan gives rules to. */
export const approvalNames: readonly string[] = [
  'switch-the-primary',
  'replace-the-production-database',
  'replace-the-standby',
  'accept-the-recovery',
  'begin-the-full-recovery',
  'bring-the-database-back',
  'attest-that-the-primary-is-off',
  'fail-over',
  'replace-cache-content',
  'replace-files',
];

/** What is approved only where a plan has a rule of this very name: bringing back what is broken waits for nobody by itself. */
export const approvalsWhereNamed: readonly string[] = ['change-the-application', 'shift-traffic'];

/** The rule of every approval that has none of its own. */
export const usualApproval = 'default';

/** In words: until when, and then what. */
const onExpiry = z.enum(['deny', 'proceed', 'escalate'], 'write deny, proceed (drills only) or escalate');

const approval = z.strictObject({
  group: name.describe('Who may approve'),
  quorum: z.int('a whole number').min(1, 'at least 1').default(1).describe('How many different people of the group'),
  deadline: duration.prefault('15m').describe('How long is waited for them'),
  warnBefore: duration
    .optional()
    .describe('They are reminded this long before the deadline; 5m when absent, or a third of a short deadline'),
  onExpiry: onExpiry
    .default('deny')
    .describe(
      'When the deadline passes: deny ends the run, escalate asks the next group, proceed goes on (drills only)',
    ),
  escalateTo: z
    .array(name)
    .default([])
    .describe('Groups that are asked one after the other when the deadline passes, each for the same time'),
});

const decisions = z.strictObject({
  group: name.describe('Who decides about a failed step: retry, skip, abort'),
  deadline: duration.prefault('8h').describe('A step that nobody decides about in this time ends the run'),
  escalate: z
    .array(z.strictObject({ after: duration, group: name }))
    .default([])
    .describe('Who is asked besides, so long after the failure'),
});

const status = z.strictObject({
  every: duration.prefault('30m').describe('A status update at the latest so often, while a run goes on'),
  channel: z
    .string()
    .regex(/^(#[a-z0-9_-]{1,80}|[CG][A-Z0-9]{2,})$/, 'not a channel: write #name, or its id')
    .optional(),
  webhook: secret.optional().describe('Where updates go when Slack does not take them: an address that takes JSON'),
});

const slack = z.strictObject({
  /** Of the app: xoxb-... */
  token: secret,
  /** The gateway signs what people click with its own key; this is the public half. */
  gatewayKeys: z.array(publicKey).min(1, atLeastOne),
  /** Slack's own API when absent. */
  api: z.url({ protocol: /^https?$/ }).optional(),
});

export const peopleSchema = z
  .strictObject({
    persons: z.record(name, person).describe('Everybody who may be asked, by a short name'),
    groups: z.record(name, z.array(name).min(1, atLeastOne)),
    approvals: z
      .record(name, approval)
      .describe(
        'How each approval is asked, by its name (switch-the-primary); `default` is for all that are not named',
      ),
    decisions: decisions.optional(),
    unsigned: z
      .enum(['refused', 'allowed'], 'write refused or allowed')
      .default('refused')
      .describe('Whether an approval without a signature counts in a live run'),
    status: status.prefault({}),
    slack: slack.optional(),
  })
  .describe('Who is asked, who may say yes, where they are told');

export type People = z.output<typeof peopleSchema>;
export type ApprovalRule = People['approvals'][string];
export type DecisionRule = NonNullable<People['decisions']>;
