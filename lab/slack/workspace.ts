/** What a workspace holds: channels, messages with their earlier versions, dialogs that are open. All of it in memory. */
import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Block, Modal } from './block-kit.ts';
import { app, cast, incidentChannel, labPersons, otherChannel, stranger } from './cast.ts';

export interface Message {
  channel: string;
  /** Its name: seconds and six more digits, unique in the workspace. */
  ts: string;
  thread?: string;
  user: string;
  text: string;
  blocks: StoredBlock[];
  metadata?: { event_type: string; event_payload: Record<string, unknown> };
  /** Only this user sees it. */
  onlyFor?: string;
  edited?: string;
  /** What it was before each update: somebody may still have that on the screen. */
  earlier: StoredBlock[][];
}

/** Slack gives a name to each block that has none. */
export type StoredBlock = Block & { block_id: string };

export interface View {
  id: string;
  hash: string;
  user: string;
  modal: Modal;
  blocks: StoredBlock[];
  /** What the app found wrong with the newest submission, by block. */
  errors: Record<string, string>;
}

export interface Trigger {
  user: string;
  at: number;
  used: boolean;
}

interface ResponseUrl {
  channel: string;
  user: string;
  thread?: string;
  at: number;
  left: number;
}

/** https://docs.slack.dev/interactivity/handling-user-interaction: a trigger lives for three seconds. */
const triggerLivesMs = 3_000;
const responseUrlLivesMs = 30 * 60_000;

export interface Member {
  id: string;
  name: string;
}

export const members: readonly Member[] = [
  ...labPersons.map((person) => ({ id: cast[person].slack, name: cast[person].name })),
  { id: stranger.slack, name: stranger.name },
];

export const channels = [incidentChannel, otherChannel] as const;

export class Workspace {
  readonly messages: Message[] = [];
  readonly views = new Map<string, View>();
  /** `changed` after each change that a page would show. */
  readonly events = new EventEmitter();
  readonly #triggers = new Map<string, Trigger>();
  readonly #responseUrls = new Map<string, ResponseUrl>();
  #newest = 0;

  constructor() {
    this.events.setMaxListeners(100);
  }

  channel(idOrName: string): { id: string; name: string } | undefined {
    const direct = members.find(({ id }) => id === idOrName);
    if (direct !== undefined) return { id: `D${direct.id.slice(1)}`, name: direct.name };
    return channels.find(({ id, name }) => id === idOrName || `#${name}` === idOrName || name === idOrName);
  }

  post(message: Omit<Message, 'ts' | 'earlier' | 'blocks'> & { blocks?: readonly Block[] }): Message {
    const posted = { ...message, ts: this.nextTs(), earlier: [], blocks: named(message.blocks ?? []) };
    this.messages.push(posted);
    this.changed();
    return posted;
  }

  update(message: Message, text: string, blocks: readonly Block[]): void {
    message.earlier.push(message.blocks);
    message.text = text;
    message.blocks = named(blocks);
    message.edited = this.nextTs();
    this.changed();
  }

  find(channel: string, ts: string): Message | undefined {
    return this.messages.find((one) => one.channel === channel && one.ts === ts);
  }

  /** Of a channel, or of a thread in it with its first message; oldest first. Nobody's alone. */
  history(channel: string, thread?: string): Message[] {
    return this.messages.filter(
      (one) =>
        one.channel === channel &&
        one.onlyFor === undefined &&
        (thread === undefined ? one.thread === undefined : one.thread === thread || one.ts === thread),
    );
  }

  open(user: string, modal: Modal): View {
    const view = { id: `V${draw()}`, hash: draw(), user, modal, blocks: named(modal.blocks), errors: {} };
    // One dialog at a time, as on a screen.
    for (const [id, other] of this.views) if (other.user === user) this.views.delete(id);
    this.views.set(view.id, view);
    this.changed();
    return view;
  }

  replace(view: View, modal: Modal): void {
    Object.assign(view, { hash: draw(), modal, blocks: named(modal.blocks), errors: {} });
    this.changed();
  }

  close(view: View): void {
    this.views.delete(view.id);
    this.changed();
  }

  trigger(user: string): string {
    const id = `${Date.now()}.${draw()}`;
    this.#triggers.set(id, { user, at: Date.now(), used: false });
    return id;
  }

  useTrigger(id: string): Trigger | 'invalid_trigger_id' | 'expired_trigger_id' | 'exchanged_trigger_id' {
    const trigger = this.#triggers.get(id);
    if (trigger === undefined) return 'invalid_trigger_id';
    if (trigger.used) return 'exchanged_trigger_id';
    if (Date.now() - trigger.at > triggerLivesMs) return 'expired_trigger_id';
    trigger.used = true;
    return trigger;
  }

  responseUrl(to: Pick<ResponseUrl, 'channel' | 'user' | 'thread'>): string {
    const id = draw();
    this.#responseUrls.set(id, { ...to, at: Date.now(), left: 5 });
    return id;
  }

  useResponseUrl(id: string): ResponseUrl | undefined {
    const found = this.#responseUrls.get(id);
    if (found === undefined || found.left === 0 || Date.now() - found.at > responseUrlLivesMs) return undefined;
    found.left -= 1;
    return found;
  }

  changed(): void {
    this.events.emit('changed');
  }

  /** Microseconds that never repeat and never go back. */
  nextTs(): string {
    this.#newest = Math.max(this.#newest + 1, Date.now() * 1000);
    return `${Math.floor(this.#newest / 1_000_000)}.${String(this.#newest % 1_000_000).padStart(6, '0')}`;
  }
}

/** Name of somebody, the app too, as people see it. */
export function nameOf(user: string): string {
  return user === app.user ? app.name : (members.find(({ id }) => id === user)?.name ?? user);
}

function named(blocks: readonly Block[]): StoredBlock[] {
  return blocks.map((block) => ({ ...block, block_id: block.block_id ?? draw() }));
}

function draw(): string {
  return randomBytes(6).toString('hex').toUpperCase();
}
