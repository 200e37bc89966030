/** What people were asked in a run, what they said, and how long it took: part of the evidence. */
/** What is approved, fact by fact; hashed, so that a yes to something else does not count. */
export type Subject = Record<string, string | number>;

/** Where a message came from. `unknown`: it did not say, as from the Temporal UI. */
export type Channel = 'cli' | 'slack' | 'temporal-ui' | 'automation' | 'unknown';

export type ClickKind = 'approve' | 'reject' | 'decide' | 'abort';

/** One message of a person, kept whether it counted or not. */
export interface Click {
  at: string;
  kind: ClickKind;
  /** Id of a person of the plan, as the message said. */
  by: string;
  channel: Channel;
  /**
   * `gateway`: the Slack gateway vouches for the person. `forged`: there was a signature, and it is wrong. `unchecked`: there was one, and
   * nobody could look at it, as when the sender is nobody whom the plan knows.
   */
  signed: 'person' | 'gateway' | 'no' | 'forged' | 'unchecked';
  counted: boolean;
  /** What the sender was answered. */
  said: string;
  /** From the question to this answer. */
  latencyMs?: number;
  reason?: string;
  /** What was asked for: an alternative of an approval, retry or skip of a decision. */
  choice?: string;
  /** What came with an alternative; a time in UTC. */
  value?: string;
}

export interface Asked {
  group: string;
  /** Persons of all groups that are asked by now, the requester not among them. */
  people: string[];
  since: string;
  until: string;
}

/** Another answer than yes and no, which the runbook offers. */
export interface Alternative {
  /** As people read it: `Move the target back to ...`. */
  label: string;
  /** What has to come with it. */
  wants?: 'time' | 'text';
}

export type ApprovalOutcome = 'approved' | 'rejected' | 'expired' | 'void' | 'proceeded' | 'ended';

export interface Approval {
  /** Step id; a second round is a step of its own. `<step>-again-2` where the step itself was tried again. */
  id: string;
  name: string;
  /** Of the plan's `approvals`: the slug of the name, or `default`. */
  rule: string;
  round: number;
  /** Facts that the answer is bound to. */
  subject: Subject;
  /** What people see besides, which may change from second to second. */
  shown: Subject;
  /** Names of all these facts in the order in which people see them: the store sorts keys. */
  order?: string[];
  /** SHA-256 of the subject, the plan, the input and the runbook. */
  hash: string;
  /** Drawn when it opened: `hash` and `nonce` together are what is signed. */
  nonce: string;
  /** Short form of both, for people to type and compare. */
  code: string;
  /** Different people that are needed; one more when nobody knows for certain who started the run. */
  quorum: number;
  /** Newest last: one more with each escalation. */
  asked: Asked[];
  alternatives: Record<string, Alternative>;
  openedAt: string;
  warnedAt?: string;
  closedAt?: string;
  outcome?: ApprovalOutcome;
  /** What was chosen, `approve` or an alternative, and what came with it. */
  chosen?: { choice: string; value?: string };
  /** Why it ended as it did, in words. */
  why?: string;
  clicks: Click[];
}

export type DecisionAction = 'retry' | 'skip' | 'abort';

/** A failed step that waits, or waited, for a person. */
export interface Decision {
  step: string;
  name: string;
  /** Which failure of this step: a decision about an earlier one does not count. */
  attempt: number;
  code: string;
  failure: { type: string; message: string };
  /** What may be said: `skip` only where the step can do without. */
  offers: DecisionAction[];
  asked: Asked[];
  openedAt: string;
  closedAt?: string;
  action?: DecisionAction;
  by?: string;
  reason?: string;
  clicks: Click[];
}

/** What an abort would do at this moment, computed; shown before it is confirmed. */
export interface AbortPlan {
  /** Changes with each moment that matters: an abort names the one that its sender has read. */
  code: string;
  /** Steps that are in flight and would be stopped first. */
  stops: string[];
  /** Names of changes that would be taken back, in this order. */
  undoes: { name: string; will?: string }[];
  /** Changes that have no way back, and why. */
  stays: { name: string; why: string }[];
}

/** An abort that a person has asked for, with what it was computed to do at that moment. */
export interface Aborted extends AbortPlan {
  at: string;
  by: string;
  reason?: string;
}

/** A message on Slack: the channel by its id, the message by its time stamp. */
export interface Place {
  channel: string;
  ts: string;
}

/** A message to people about the run, and where it went. */
export interface Post {
  /** Unique in the run: the same message is never delivered twice. */
  key: string;
  at: string;
  kind: 'start' | 'phase' | 'approval' | 'reminder' | 'decision' | 'escalation' | 'status' | 'warning' | 'end';
  headline: string;
  /** `nowhere`: nobody could be told; `why` says what was tried. */
  delivered: 'slack' | 'webhook' | 'nowhere';
  why?: string;
  /** Where it is on Slack. */
  place?: Place;
}
