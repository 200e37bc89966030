/** Starting a runbook from Slack: a dialog, the input checked as everywhere, the run started by the person who clicked. */
import type { KeyObject } from 'node:crypto';
import type { App } from '@slack/bolt';
import type { WebClient } from '@slack/web-api';
import type { Logger } from 'pino';
import { signed } from '../../activities/people/keys.ts';
import { startStatement } from '../../evidence/statements.ts';
import type { Plan } from '../../plan/schema.ts';
import { checkInput, modeOf } from '../../workflows/inputs.ts';
import { type RunbookName, runbooks } from '../../workflows/messages.ts';
import type { Place } from './click.ts';
import { dialogs, type Filled, filledIn, type StartForm, startDialog, startPlace } from './modals.ts';
import { type Persons, personOf } from './persons.ts';
import { type Runs, runName, silenceOf } from './runs.ts';
import type { Voice } from './voice.ts';

interface StartOptions {
  runs: Runs;
  persons: Persons;
  voice: Voice;
  key: KeyObject;
  logger: Logger;
}

interface Wanted {
  runbook: RunbookName;
  service: string;
  input: Record<string, unknown>;
}

interface Ask {
  trigger: string;
  user: string;
  place: Place;
  /** Only a drill is offered. */
  drill: boolean;
}

export class Starts {
  readonly #options: StartOptions;

  constructor(options: StartOptions) {
    this.#options = options;
  }

  listen(app: App): void {
    app.view(dialogs.start, async ({ ack, body, view }) => {
      const filled = filledIn(view.state.values);
      const wanted = wantedOf(filled);
      if ('errors' in wanted) return ack({ response_action: 'errors', errors: wanted.errors });
      await ack();
      const place = startPlace(view.private_metadata) ?? { channel: body.user.id };
      await this.#options.voice.tell(body.user.id, place, await this.#start(wanted, body.user.id, view.id));
    });
  }

  /** The dialog opens at once; what the archive says of its services' recovery windows comes in later. */
  async open(client: WebClient, { trigger, user, place, drill }: Ask): Promise<void> {
    const { persons, runs, logger } = this.#options;
    const services = (await persons.servicesOf(user)).map(({ plan }) => plan.service);
    const windows: Map<string, NonNullable<ReturnType<StartForm['windows']['get']>>> = new Map(
      // Each is a look into an archive; beyond a few nobody would read them here.
      drill ? services.slice(0, 3).map((service) => [service, 'asked']) : [],
    );
    const form: StartForm = { ...choices(drill), services, windows, place };
    const { view } = await client.views.open({ trigger_id: trigger, view: startDialog(form) });
    await Promise.all(
      [...windows.keys()].map(async (service) => {
        windows.set(service, await runs.recoveryWindow(service).catch((error: unknown) => ({ why: wordsOf(error) })));
      }),
    );
    if (windows.size === 0 || view?.id === undefined) return;
    // It may have been sent or closed by now.
    await client.views
      .update({ view_id: view.id, view: startDialog(form) })
      .catch((error: unknown) => logger.debug({ error: wordsOf(error) }, 'the dialog is not open any more'));
  }

  /** @returns what the person is told */
  async #start({ runbook, service, input }: Wanted, user: string, occasion: string): Promise<string> {
    const { runs, persons, key, logger } = this.#options;
    const plan = await persons.planOf(service);
    const person = plan && personOf(plan, user);
    if (plan === undefined || person === undefined)
      return `✗ You are no person of the plan of ${service}: nothing was started.`;
    const run = runName(service, `${user}/${occasion}`);
    const asked = { ...input, service, requestedBy: person };
    const requestSignature = signed(startStatement(run, person, asked), key, 'gateway');
    try {
      const how = await runs.start({
        runbook,
        run,
        input: { ...asked, requestSignature },
        summary: summaryOf(runbook, asked),
      });
      logger.info({ run, runbook, user, person, how }, 'started from Slack');
      return `✓ ${how === 'again' ? 'Started already' : 'Started'}: ${run}, ${summaryOf(runbook, asked)}.${pageOf(plan, run)}`;
    } catch (error) {
      const why = silenceOf(error);
      if (why === undefined) throw error;
      return `✗ ${why}. Whether ${run} was started is not known: see "lifeboat watch ${run}" before you start another.`;
    }
  }
}

function pageOf({ pages }: Plan, run: string): string {
  return pages === undefined ? '' : ` ${pages.replace(/\/+$/, '')}/runs/${encodeURIComponent(run)}`;
}

/** `Monthly drill of orders (drill)`: the one line that the Temporal UI shows beside the run. */
function summaryOf(runbook: RunbookName, input: { service: string }): string {
  const words = runbook.replaceAll('-', ' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)} of ${input.service} (${modeOf(runbook, input)})`;
}

function choices(drill: boolean): Pick<StartForm, 'runbooks' | 'modes' | 'target' | 'free'> {
  const dryRun = { mode: 'dry-run', words: 'dry run: looks and previews, changes nothing' };
  const inDrill = { mode: 'drill', words: 'drill: on an isolated server, production untouched' };
  if (drill)
    return {
      runbooks: [{ name: 'monthly-drill', words: 'Monthly drill' }],
      modes: [inDrill, dryRun],
      target: true,
      free: false,
    };
  return {
    runbooks: Object.keys(runbooks).map((name) => ({ name, words: name.replaceAll('-', ' ') })),
    modes: [dryRun, inDrill, { mode: 'live', words: 'live: the real thing' }],
    target: false,
    free: true,
  };
}

/** What a submitted dialog asks for; or what is wrong with it, by block. */
export function wantedOf(filled: Filled): Wanted | { errors: Record<string, string> } {
  const { runbook = '', service = '', mode = '', target = '', input = '' } = filled;
  if (!Object.hasOwn(runbooks, runbook)) return { errors: { runbook: 'There is no such runbook.' } };
  const name = runbook as RunbookName;
  const free = freeInput(input);
  if (free === undefined) return { errors: { input: 'Write one JSON object, such as {"to":"db2"}.' } };
  const said = { ...(mode && { mode }), ...(target && { target }) };
  const twice = [...Object.keys(said), 'service', 'requestedBy', 'requestSignature'].find((field) =>
    Object.hasOwn(free, field),
  );
  if (twice !== undefined) return { errors: { input: `"${twice}" is said elsewhere already: leave it out.` } };
  const all = { ...free, ...said };
  const wrong = checkInput(name, { ...all, service });
  if (wrong !== undefined) return { errors: { [blockOf(wrong, filled)]: wrong } };
  return { runbook: name, service, input: all };
}

function freeInput(text: string): Record<string, unknown> | undefined {
  if (text === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** The field that the words are about; they begin with its name. */
function blockOf(wrong: string, filled: Filled): string {
  const named = /^"(\w+)"/.exec(wrong)?.[1] ?? '';
  if (named !== '' && Object.hasOwn(filled, named)) return named;
  return Object.hasOwn(filled, 'input') ? 'input' : 'runbook';
}

function wordsOf(error: unknown): string {
  return silenceOf(error) ?? (error instanceof Error ? error.message : String(error));
}
