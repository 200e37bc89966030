/** The gateway's end of Slack: buttons, dialogs and the command, by Bolt. */
import { setTimeout as pause } from 'node:timers/promises';
import { App, type BlockAction, type ButtonAction, HTTPReceiver, SocketModeReceiver } from '@slack/bolt';
import type { KnownBlock } from '@slack/types';
import type { Logger } from 'pino';
import { factsBlocks, undoBlocks } from '../../activities/notify/slack-blocks.ts';
import { actionNames, type ButtonMeaning, meaningOf } from '../../activities/notify/slack-buttons.ts';
import { boltLogger } from './bolt-logger.ts';
import { type ClickMeaning, clickOf, type Place } from './click.ts';
import type { Commands } from './commands.ts';
import type { Courier } from './courier.ts';
import { dialogs, filledIn, type Wanted, wordsDialog, wordsSaid } from './modals.ts';
import type { Runs } from './runs.ts';
import type { Settings } from './settings.ts';
import type { Voice } from './voice.ts';

export interface Parts {
  runs: Pick<Runs, 'evidence' | 'abortPlan'>;
  courier: Courier;
  commands: Commands;
  voice: Voice;
  logger: Logger;
}

/** Below this path Slack posts everything, in request URL mode. */
const requestPath = '/slack/events';

/** Options of every client of Slack's API here. */
export function clientOptionsOf({ api }: Settings): { slackApiUrl?: string } {
  return api === undefined ? {} : { slackApiUrl: api };
}

/** Whether Slack can reach us. */
export interface Reached {
  now: boolean;
}

export function slackApp(settings: Settings, logger: Logger, reached: Reached): App {
  const clientOptions = clientOptionsOf(settings);
  const { entrance, token } = settings;
  const usual = { logger: boltLogger(logger) };
  const receiver =
    entrance.kind === 'socket'
      ? new SocketModeReceiver({ ...usual, appToken: entrance.appToken, installerOptions: { clientOptions } })
      : new HTTPReceiver({ ...usual, signingSecret: entrance.signingSecret, endpoints: requestPath });
  if (receiver instanceof SocketModeReceiver)
    for (const [state, now] of Object.entries({ connected: true, reconnecting: false, disconnected: false }))
      receiver.client.on(state, () => {
        reached.now = now;
      });
  return new App({
    ...usual,
    receiver,
    clientOptions,
    // Without asking Slack who we are: it may be away at this moment.
    authorize: async () => ({ botToken: token }),
  });
}

export function listen(app: App, { runs, courier, commands, voice, logger }: Parts): void {
  app.action<BlockAction<ButtonAction>>(
    { type: 'block_actions', action_id: /^lifeboat:/ },
    async ({ ack, body, action, client }) => {
      const { user, trigger_id } = body;
      const place = placeOf(body);
      const meaning = meaningOf(action.value);
      if (place === undefined || meaning === undefined) {
        await ack();
        logger.warn({ user: user.id, action: action.action_id }, 'a click that says nothing');
        return;
      }
      const wanted = wantedBy(action.action_id, meaning);
      if (wanted === undefined) {
        const said = { run: meaning.run, meaning: meant(action.action_id, meaning), place };
        await courier.take(clickOf(user.id, action.action_ts, said));
        await ack();
        return;
      }
      await ack();
      try {
        const facts = await factsInTime(runs, wanted, meaning);
        await client.views.open({ trigger_id, view: wordsDialog(wanted, meaning, place, facts) });
      } catch (error) {
        logger.warn({ user: user.id, error: String(error) }, 'the dialog could not be opened');
        await voice.tell(
          user.id,
          place,
          'The dialog could not be opened: click again, or use the command line (lifeboat status).',
        );
      }
    },
  );

  app.view(dialogs.words, async ({ ack, body, view }) => {
    const said = wordsSaid(view.private_metadata, filledIn(view.state.values));
    if (said === undefined) return ack();
    if ('errors' in said) return ack({ response_action: 'errors', errors: said.errors });
    await courier.take(clickOf(body.user.id, view.id, said));
    return ack();
  });

  commands.listen(app);

  app.error(async (error) =>
    logger.error({ error: error.message, code: error.code }, 'a message of Slack was not understood'),
  );
}

// Slack opens a dialog within three seconds of the click, or not at all.
const factsWithinMs = 1_500;

/**
 * What is said yes or no to, once more, and of an abort what it would take back; without it where the run does not answer in time: the
 * message has the facts too.
 */
export async function factsInTime(
  runs: Parts['runs'],
  wanted: Wanted,
  { run, code }: ButtonMeaning,
): Promise<KnownBlock[]> {
  const inTime = <T>(asked: Promise<T>): Promise<T | undefined> =>
    Promise.race([asked.catch(() => undefined), pause(factsWithinMs, undefined, { ref: false })]);
  const [evidence, plan] = await Promise.all([
    inTime(runs.evidence(run)),
    wanted === 'abort' ? inTime(runs.abortPlan(run)) : undefined,
  ]);
  return [
    ...(evidence === undefined ? [] : factsBlocks(evidence, code)),
    ...(plan === undefined ? [] : undoBlocks(plan)),
  ];
}

/** Which dialog a button opens before it counts; `undefined` when it counts at once. */
function wantedBy(action: string, { choice, wants }: ButtonMeaning): Wanted | undefined {
  if (action === actionNames.note) return 'note';
  if (action === actionNames.reject) return 'reject';
  if (action.startsWith(actionNames.choose) && wants !== undefined) return 'choose';
  if (action.startsWith(actionNames.decide) && (choice === 'skip' || choice === 'abort')) return choice;
  return undefined;
}

function meant(action: string, { about, code, choice }: ButtonMeaning): ClickMeaning {
  if (action.startsWith(actionNames.decide)) return { kind: 'decide', about, code, action: 'retry' };
  const chosen = action.startsWith(actionNames.choose) ? choice : undefined;
  return { kind: 'approve', about, code, ...(chosen === undefined ? {} : { choice: chosen }) };
}

function placeOf({ channel, container, message }: BlockAction): Place | undefined {
  const id = channel?.id ?? text(container.channel_id);
  if (id === undefined) return undefined;
  const thread = text(container.thread_ts) ?? text(message?.thread_ts);
  const ts = container.is_ephemeral === true ? undefined : text(container.message_ts);
  return { channel: id, ...(thread === undefined ? {} : { thread }), ...(ts === undefined ? {} : { message: ts }) };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
