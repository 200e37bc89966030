/** A click as it is kept: enough to deliver it after the gateway has died, and to say afterwards what became of it. */
import { z } from 'zod';

const about = { about: z.string(), code: z.string() };

const meaning = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('approve'), ...about, choice: z.string().optional(), value: z.string().optional() }),
  z.strictObject({ kind: z.literal('reject'), ...about }),
  z.strictObject({ kind: z.literal('decide'), ...about, action: z.enum(['retry', 'skip', 'abort']) }),
  z.strictObject({ kind: z.literal('abort'), code: z.string() }),
]);

const place = z.strictObject({
  channel: z.string(),
  thread: z.string().optional(),
  /** The message with the buttons, where everybody sees it. */
  message: z.string().optional(),
});

export const clickSchema = z.strictObject({
  /** The same for each delivery of one click by Slack, and for no other click: it becomes the id of the update. */
  key: z.string().regex(/^[A-Za-z0-9._-]{1,200}$/),
  at: z.string(),
  /** Slack's id of who has clicked, out of what Slack itself signed or sent. */
  user: z.string(),
  run: z.string(),
  meaning,
  reason: z.string().optional(),
  place,
});

export type SlackClick = z.output<typeof clickSchema>;
export type ClickMeaning = SlackClick['meaning'];
export type Place = SlackClick['place'];

/** What became of a click. */
export interface ClickEnd {
  outcome: 'counted' | 'refused' | 'stranger' | 'too-late' | 'undelivered';
  /** What the person was told. */
  said: string;
  /** Id in the plan, where the user is a person of it. */
  person?: string;
}

/** @param occasion Slack's own name of this very click or dialog */
export function clickOf(
  user: string,
  occasion: string,
  { run, meaning, reason, place }: Pick<SlackClick, 'run' | 'meaning' | 'place'> & { reason?: string },
): SlackClick {
  const key = `${user}-${occasion}`.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 200);
  return { key, at: new Date().toISOString(), user, run, meaning, place, ...(reason === undefined ? {} : { reason }) };
}
