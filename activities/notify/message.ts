/** What people are to be told, and what became of it. */
import type { Approval, Decision, Place, Post } from '../../evidence/people.ts';
import type { Line } from '../../evidence/status.ts';
import type { Found } from '../shapes.ts';

/** Where people are told. Secrets stand here by their names. */
export interface Outlets {
  slack?: { token: string; api?: string; channel: string };
  webhook?: string;
}

/** What people are to be told. */
export interface Message {
  /** Key of the post: unique in the run. */
  id: string;
  kind: Post['kind'];
  headline: string;
  lines: Line[];
  /** Slack ids of those whom it concerns, by the names of the plan: they are called. */
  slackIds: Record<string, string>;
  /** Of the report of the run. */
  url?: string;
  /** What is asked, with buttons for as long as it is open. */
  approval?: Approval;
  decision?: Decision;
}

export interface Posted extends Found, Pick<Post, 'delivered' | 'why' | 'place'> {
  /** The head of the run's thread. */
  thread?: Place;
  /** Slack wants to be left alone until then. */
  restUntil?: string;
  /** Slack may have taken it although it did not say so. */
  unsure?: true;
  /** What had not been posted before was told. */
  toldMissed?: true;
}
