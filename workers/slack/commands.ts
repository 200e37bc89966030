/** `/lifeboat status | drill | start | approve | abort`. */
import type { App, SlashCommand } from '@slack/bolt';
import type { KnownBlock } from '@slack/types';
import type { WebClient } from '@slack/web-api';
import type { Logger } from 'pino';
import { abortBlocks, approvalBlocks, decisionBlocks, runBlocks } from '../../activities/notify/slack-blocks.ts';
import { inert, mrkdwn } from '../../activities/notify/slack-text.ts';
import { openApprovals, openDecisions } from '../../evidence/asked.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import { clickOf, type Place } from './click.ts';
import type { Courier } from './courier.ts';
import { abortDialog, abortSaid, chooseRunDialog, dialogs, filledIn, waitingDialog } from './modals.ts';
import type { Persons } from './persons.ts';
import { type Runs, silenceOf } from './runs.ts';
import type { Starts } from './starts.ts';
import { aroundOf, type Voice } from './voice.ts';

const help = [
  '`/lifeboat status [service]` what is running, and who is awaited',
  '`/lifeboat drill` hold a drill',
  '`/lifeboat start` start any runbook',
  '`/lifeboat approve [run]` what waits for an answer, with its buttons',
  '`/lifeboat abort [run]` show what an abort would do, and confirm it',
].join('\n');

// Each takes up to six blocks of the fifty that a message may have.
const mostRuns = 7;
/** An answer to a command may be given five times. */
const mostAnswers = 5;

interface CommandOptions {
  runs: Runs;
  persons: Persons;
  courier: Courier;
  voice: Voice;
  starts: Starts;
  logger: Logger;
}

/** A command: who, where, with what words. */
interface Given {
  command: SlashCommand;
  words: string[];
  client: WebClient;
  say(words: string, blocks?: KnownBlock[]): Promise<void>;
}

export class Commands {
  readonly #options: CommandOptions;

  constructor(options: CommandOptions) {
    this.#options = options;
  }

  listen(app: App): void {
    const { starts } = this.#options;
    app.command('/lifeboat', async ({ ack, command, client, respond }) => {
      await ack();
      const [word = '', ...words] = command.text.trim().split(/\s+/).filter(Boolean);
      const say = async (said: string, blocks?: KnownBlock[]) =>
        void (await respond({ response_type: 'ephemeral', text: said, ...(blocks && { blocks }) }));
      await this.#answered({ command, words, client, say }, word);
    });
    app.view(dialogs.abort, async ({ ack, body, view, client }) => {
      const state = abortSaid(view.private_metadata);
      if (state === undefined) return ack();
      const { run: chosen, reason = '' } = filledIn(view.state.values);
      const { run = chosen, code, place } = state;
      if (run === undefined) return ack();
      if (code === undefined) {
        await ack({
          response_action: 'update',
          view: waitingDialog('Abort the run', `Asking ${run} what an abort would do …`),
        });
        return this.#showAbort(client, view.id, run, place, body.user.id);
      }
      if (reason === '')
        return ack({ response_action: 'errors', errors: { reason: 'Write why: it stands in the report.' } });
      await this.#options.courier.take(
        clickOf(body.user.id, view.id, { run, meaning: { kind: 'abort', code }, reason, place }),
      );
      return ack();
    });
    starts.listen(app);
  }

  async #answered(given: Given, word: string): Promise<void> {
    const { logger, persons } = this.#options;
    try {
      const services = await persons.servicesOf(given.command.user_id);
      if (services.length === 0)
        return await given.say(
          `You (Slack member ${given.command.user_id}) are no person of any plan that this gateway has, so it tells you nothing. Who should be one is added to the plan, under people.persons, with slack: ${given.command.user_id}.`,
        );
      await this.#do(given, word);
    } catch (error) {
      const why = silenceOf(error);
      if (why === undefined) logger.error({ error: String(error) }, 'this command failed');
      await given
        .say(
          `✗ ${why ?? 'Lifeboat made a mistake; the log of lifeboat-slack has it.'} Nothing was done. Try again, or use the command line: lifeboat status.`,
        )
        .catch((again: unknown) => logger.error({ error: String(again) }, 'the answer to a command was not taken'));
    }
  }

  async #do(given: Given, word: string): Promise<void> {
    const { command, client, words } = given;
    const place = { channel: command.channel_id };
    switch (word) {
      case 'status':
        return this.#status(given);
      case 'drill':
      case 'start':
        return this.#options.starts.open(client, {
          trigger: command.trigger_id,
          user: command.user_id,
          place,
          drill: word === 'drill',
        });
      case 'approve':
        return this.#approve(given);
      case 'abort':
        return this.#abort(client, command.trigger_id, words[0], place, command.user_id);
      default:
        return given.say(
          word === '' || word === 'help'
            ? help
            : `✗ "${word.slice(0, 40).replace(/[<>&`]/g, '')}" is no command of Lifeboat.\n${help}`,
        );
    }
  }

  async #status({ command, words: [service], say }: Given): Promise<void> {
    const open = await this.#mine(command.user_id);
    const wanted = open.filter((evidence) => service === undefined || evidence.service === service);
    if (wanted.length === 0)
      return say(service === undefined ? 'Nothing is running.' : 'Nothing of that service is running.');
    const blocks: KnownBlock[] = [];
    for (const evidence of wanted.slice(0, mostRuns))
      blocks.push(...runBlocks(evidence, await aroundOf(evidence, this.#options.persons)));
    if (wanted.length <= mostRuns) return say(`${wanted.length} running`, blocks);
    const others = wanted.slice(mostRuns).map(({ run }) => run);
    blocks.push({ type: 'context', elements: [mrkdwn(`and ${others.length} more: ${inert(others.join(', '))}`)] });
    return say(`${wanted.length} running`, blocks);
  }

  async #approve({ command, words: [run], say }: Given): Promise<void> {
    const open = (await this.#mine(command.user_id)).filter((evidence) => run === undefined || evidence.run === run);
    const questions: Said[] = [];
    for (const evidence of open) {
      const around = await aroundOf(evidence, this.#options.persons);
      const waiting = [
        ...openApprovals(evidence).map((one) => approvalBlocks(evidence, one, around)),
        ...openDecisions(evidence).map((one) => decisionBlocks(evidence, one, around)),
      ];
      questions.push(...waiting.map((blocks) => ({ run: evidence.run, blocks })));
    }
    for (const { words, blocks } of answersTo(questions)) await say(words, blocks);
  }

  async #abort(
    client: WebClient,
    trigger_id: string,
    run: string | undefined,
    place: Place,
    user: string,
  ): Promise<void> {
    const words = run === undefined ? 'Asking what is running …' : `Asking ${run} what an abort would do …`;
    const { view } = await client.views.open({ trigger_id, view: waitingDialog('Abort a run', words) });
    const view_id = view?.id ?? '';
    if (run !== undefined) return this.#showAbort(client, view_id, run, place, user);
    let next = waitingDialog('Abort a run', 'Nothing is running.');
    try {
      const open = (await this.#mine(user)).filter((one) => one.run.length <= 150);
      const [only] = open;
      if (only !== undefined && open.length === 1) return await this.#showAbort(client, view_id, only.run, place, user);
      if (open.length > 1)
        next = chooseRunDialog(
          open.map((one) => ({ run: one.run, words: `${one.run}: ${one.title} of ${one.service}` })),
          place,
        );
    } catch (error) {
      next = waitingDialog('Abort a run', `What is running is not known: ${whyOf(error)}`);
    }
    await client.views.update({ view_id, view: next });
  }

  async #showAbort(client: WebClient, view_id: string, run: string, place: Place, user: string): Promise<void> {
    const { runs, logger, persons } = this.#options;
    let next = waitingDialog('Abort the run', `There is no run ${run}, or it has ended.`);
    try {
      const evidence = await runs.evidence(run);
      const mine = evidence !== undefined && (await persons.isPersonOf(user, evidence.service));
      if (evidence !== undefined && evidence.endedAt === undefined && mine) {
        const plan = await runs.abortPlan(run);
        next = abortDialog(run, plan.code, abortBlocks(evidence, plan), place);
      }
    } catch (error) {
      next = waitingDialog(
        'Abort the run',
        `${run} does not answer: ${whyOf(error)}. Try again, or use the command line: lifeboat abort ${run}.`,
      );
    }
    await client.views
      .update({ view_id, view: next })
      .catch((error: unknown) => logger.warn({ error: String(error) }, 'the dialog was not updated'));
  }

  /** Open runs of the services of which this user is a person. */
  async #mine(user: string): Promise<Evidence[]> {
    const { persons, runs } = this.#options;
    const services = (await persons.servicesOf(user)).map(({ plan }) => plan.service);
    const open = (await runs.open()).filter(({ service }) => service !== undefined && services.includes(service));
    const evidence = await Promise.all(open.map(({ run }) => runs.evidence(run)));
    return evidence.filter((one) => one !== undefined);
  }
}

interface Said {
  run: string;
  blocks: KnownBlock[];
}

/** What waits, in as many answers as a command may be given; what has no room there is named. */
export function answersTo(questions: readonly Said[]): { words: string; blocks?: KnownBlock[] }[] {
  if (questions.length === 0) return [{ words: 'Nothing waits for an answer.' }];
  const shown = questions.slice(0, questions.length > mostAnswers ? mostAnswers - 1 : mostAnswers);
  const more = questions.slice(shown.length);
  const runs = [...new Set(more.map(({ run }) => run))].join(', ');
  return [
    ...shown.map(({ run, blocks }) => ({ words: `${run} waits for an answer`, blocks })),
    ...(more.length === 0 ? [] : [{ words: `${more.length} more wait, of ${runs}: /lifeboat approve RUN shows one.` }]),
  ];
}

function whyOf(error: unknown): string {
  return silenceOf(error) ?? (error instanceof Error ? error.message : String(error));
}
