/** What people see in Slack of an approval, a decision, a status and an abort. Pure; words of others are made harmless. */
import type { ContextBlock, HeaderBlock, KnownBlock, SectionBlock } from '@slack/types';
import { isAgreed } from '../../evidence/approvals.ts';
import type { Evidence, Step } from '../../evidence/evidence.ts';
import { formatClock, formatDuration, formatMoment } from '../../evidence/format.ts';
import type { AbortPlan, Approval, ApprovalOutcome, Asked, Click, Decision, Subject } from '../../evidence/people.ts';
import { headline, toneOf, verdictWord } from '../../evidence/render/words.ts';
import { approvalButtons, decisionButtons } from './slack-buttons.ts';
import { exact, inert, limits, mrkdwn, plain } from './slack-text.ts';

/** What a message needs besides the evidence. */
export interface Around {
  /** Slack ids of the plan's persons: those who are awaited are called by them. */
  slackIds?: Readonly<Record<string, string>>;
  /** Address of the run's page. */
  page?: string;
}

/** A fact with its name. */
export interface Line {
  label: string;
  text: string;
}

/** An approval: while it is open with its buttons, afterwards with what came of it. */
export function approvalBlocks(evidence: Evidence, approval: Approval, around: Around = {}): KnownBlock[] {
  const open = approval.outcome === undefined;
  const round = approval.round > 1 ? ` (round ${approval.round})` : '';
  const buttons = open ? approvalButtons(evidence, approval) : undefined;
  return capped([
    header(`${approvalTitle(approval)}: ${approval.name}${round}`),
    section([whichRun(evidence), ...(open ? [awaited(approval, around)] : [approvalEnd(approval)])]),
    ...facts(approval.subject),
    ...shownBesides(approval.shown),
    ...said(approval.clicks, around),
    context([codeLine(approval, evidence), ...pageLine(around)]),
    ...(buttons === undefined ? [] : [buttons]),
    ...(open && buttons === undefined ? [context(['Answer it with `lifeboat approve` or `lifeboat reject`.'])] : []),
  ]);
}

/** A step that failed and waits for a person, or waited for one. */
export function decisionBlocks(evidence: Evidence, decision: Decision, around: Around = {}): KnownBlock[] {
  const open = decision.closedAt === undefined;
  const buttons = open ? decisionButtons(evidence, decision) : undefined;
  return capped([
    header(open ? `A step failed: ${decision.name}` : `Decided: ${decision.name}`),
    section([whichRun(evidence), ...(open ? [waitsFor(decision.asked, around)] : [decisionEnd(decision, around)])]),
    { type: 'section', text: plain(`${decision.failure.type}: ${decision.failure.message}`, limits.section) },
    ...said(decision.clicks, around),
    context([
      `code ${exact(decision.code, 40)} · failed ${ordinal(decision.attempt)} · asked ${moment(decision.openedAt)}`,
      ...pageLine(around),
    ]),
    ...(buttons === undefined ? [] : [buttons]),
    ...(open && buttons === undefined ? [context(['Answer it with `lifeboat decide`.'])] : []),
  ]);
}

/** What a click is about: the facts of the approval, or the failure of the step, that is known by this code. */
export function factsBlocks({ approvals = [], decisions = [] }: Evidence, code: string): KnownBlock[] {
  const approval = approvals.find((one) => one.code === code);
  if (approval !== undefined) return capped([...facts(approval.subject), ...shownBesides(approval.shown)]);
  const failure = decisions.find((one) => one.code === code)?.failure;
  return failure === undefined
    ? []
    : [{ type: 'section', text: plain(`${failure.type}: ${failure.message}`, limits.section) }];
}

/** How a run stands, under a headline: by `lines` where whoever tells it has some, otherwise by what the evidence holds. */
export function statusBlocks(
  evidence: Evidence,
  { headline: words, lines }: { headline: string; lines?: readonly Line[] },
  around: Around = {},
): KnownBlock[] {
  return capped([
    header(words),
    section([whichRun(evidence)]),
    ...fieldsOf(lines?.map(({ label, text }) => [label, inert(text)]) ?? standing(evidence)),
    ...waiting(evidence, around),
    ...(around.page === undefined ? [] : [context(pageLine(around))]),
  ]);
}

/** A run in a list of runs. */
export function runBlocks(evidence: Evidence, around: Around = {}): KnownBlock[] {
  return [
    section([`*${inert(headline(evidence))}*`, whichRun(evidence), ...pageLine(around)]),
    ...fieldsOf(standing(evidence)),
    ...waiting(evidence, around),
  ];
}

/** What an abort would do, before anybody confirms it. */
export function abortBlocks(evidence: Evidence, plan: AbortPlan): KnownBlock[] {
  return capped([
    section([`Aborting ${whichRun(evidence)}`]),
    ...undoBlocks(plan),
    context([`code ${exact(plan.code, 40)}`]),
  ]);
}

/** What is stopped, taken back in which order, and what stays. */
export function undoBlocks({ stops, undoes, stays }: Omit<AbortPlan, 'code'>): SectionBlock[] {
  const list = (title: string, lines: string[]) => (lines.length === 0 ? [] : [section([`*${title}*`, ...lines])]);
  const nothing = stops.length + undoes.length + stays.length === 0;
  return [
    ...list(
      'Is stopped first',
      stops.map((name) => `• ${inert(name)}`),
    ),
    ...list(
      'Is taken back, in this order',
      undoes.map(
        ({ name, will }, index) => `${index + 1}. ${inert(name)}${will === undefined ? '' : `: ${inert(will)}`}`,
      ),
    ),
    ...list(
      'Stays as it is',
      stays.map(({ name, why }) => `• ${inert(name)}: ${inert(why)}`),
    ),
    ...(nothing ? [section(['Nothing is in flight, and nothing has to be taken back.'])] : []),
  ];
}

/** Slack calls people by `<@id>`; who has no id there is named as the plan does. */
function called(person: string, { slackIds = {} }: Around): string {
  const id = Object.hasOwn(slackIds, person) ? slackIds[person] : undefined;
  return id !== undefined && /^[UW][A-Z0-9]+$/.test(id) ? `<@${id}>` : inert(person, 60);
}

function whichRun({ title, service, mode, run }: Evidence): string {
  return `${inert(title)} of *${inert(service)}*, ${mode}, run ${exact(run, 120)}`;
}

const ends: Record<ApprovalOutcome, string> = {
  approved: '✓ Approved',
  rejected: '✗ Rejected',
  expired: '✗ Expired',
  void: '✗ Void',
  proceeded: '» Went on without an answer',
  ended: '■ No longer asked',
};

function approvalTitle({ outcome }: Approval): string {
  return outcome === undefined ? 'Approval' : ends[outcome];
}

function approvalEnd(approval: Approval): string {
  const chosen = approval.chosen === undefined || approval.chosen.choice === 'approve' ? '' : chosenWords(approval);
  const why = approval.why === undefined ? '' : `: ${inert(approval.why)}`;
  const at = approval.closedAt === undefined ? '' : `, ${moment(approval.closedAt)}`;
  const end = approval.outcome === undefined ? '' : ends[approval.outcome];
  return `*${end}*${chosen}${why}${at}`;
}

function chosenWords({ chosen, alternatives }: Approval): string {
  if (chosen === undefined) return '';
  const label = Object.hasOwn(alternatives, chosen.choice) ? alternatives[chosen.choice]?.label : undefined;
  return ` (${inert(label ?? chosen.choice)}${chosen.value === undefined ? '' : ` ${exact(chosen.value)}`})`;
}

function awaited(approval: Approval, around: Around): string {
  if (isAgreed(approval)) return 'It is approved: its facts are being read once more.';
  return `${approval.quorum} must approve. ${waitsFor(approval.asked, around)}`;
}

// All of a large group need not be named: whoever is in it knows.
const mostNames = 12;

function waitsFor(asked: readonly Asked[], around: Around): string {
  const newest = asked.at(-1);
  if (newest === undefined) return 'Nobody is asked yet.';
  const groups = asked.map(({ group }) => inert(group, 60)).join(', then ');
  const names = newest.people.slice(0, mostNames).map((person) => called(person, around));
  const more = newest.people.length > mostNames ? ` and ${newest.people.length - mostNames} more` : '';
  return `Asked: ${groups} (${names.join(', ')}${more}), until *${formatClock(newest.until)}Z*`;
}

function facts(subject: Subject): SectionBlock[] {
  return fieldsOf(Object.entries(subject).map(([name, value]) => [name, exact(value)]));
}

/** Names are of others; values are mrkdwn already. */
function fieldsOf(pairs: readonly (readonly [string, string])[]): SectionBlock[] {
  const all = pairs.map(([name, value]) => mrkdwn(`*${inert(name, 90)}*\n${value}`, limits.field));
  const rows: SectionBlock[] = [];
  for (let from = 0; from < all.length; from += limits.fields)
    rows.push({ type: 'section', fields: all.slice(from, from + limits.fields) });
  return rows;
}

function shownBesides(shown: Subject): ContextBlock[] {
  const all = Object.entries(shown).map(([name, value]) => `${inert(name, 90)} ${exact(value)}`);
  return all.length === 0 ? [] : [context(all)];
}

function codeLine(approval: Approval, { requestedBy, requester }: Evidence): string {
  const who = requester?.person ?? requestedBy;
  const certain = requester === undefined || requester.certain ? '' : ', not certain';
  const by = who === undefined ? '' : ` · asked for by ${inert(who, 80)}${certain}`;
  return `code ${exact(approval.code, 40)} · asked ${moment(approval.openedAt)}${by}`;
}

const clickWords: Record<Click['kind'], string> = {
  approve: 'approved',
  reject: 'rejected',
  decide: 'decided',
  abort: 'aborted',
};

// The newest tell how it stands; the report has them all.
const mostClicks = 8;

/** Those that counted; what was refused was said to its sender alone. */
function said(clicks: readonly Click[], around: Around): SectionBlock[] {
  const lines = clicks
    .filter(({ counted }) => counted)
    .slice(-mostClicks)
    .map((click) => {
      const what =
        click.choice === undefined || click.choice === 'approve'
          ? clickWords[click.kind]
          : `said ${inert(click.choice, 60)}`;
      const reason = click.reason === undefined || click.reason === '' ? '' : `: ${inert(click.reason)}`;
      return `${called(click.by, around)} ${what} at ${formatClock(click.at)}Z${reason}`;
    });
  return lines.length === 0 ? [] : [section(lines)];
}

function decisionEnd(decision: Decision, around: Around): string {
  const who = decision.by === undefined ? '' : ` by ${called(decision.by, around)}`;
  const reason = decision.reason === undefined ? '' : `: ${inert(decision.reason)}`;
  const what = decision.action === undefined ? 'It was not decided about' : `*${decision.action}*${who}${reason}`;
  return `${what}, ${moment(decision.closedAt ?? decision.openedAt)}`;
}

function standing(evidence: Evidence): [string, string][] {
  const { phases, objectives, forecast, rpo } = evidence;
  const now = phases.find((phase) => phase.startedAt !== undefined && phase.endedAt === undefined);
  const next = phases.find((phase) => phase.startedAt === undefined);
  const done = evidence.steps.filter(({ state }: Step) => state === 'done').length;
  const ended = evidence.endedAt !== undefined;
  const late = forecast?.lateByMs === undefined ? '' : `, *misses the RTO by ${formatDuration(forecast.lateByMs)}*`;
  const rows: [string, string | undefined][] = [
    ['Outcome', ended ? `${glyphs[toneOf(evidence)]} ${verdictWord(evidence)}` : undefined],
    ['Phase', now === undefined ? undefined : `${now.name}, ${formatDuration(now.budgetMs)} allowed`],
    ['Done', `${done} of ${evidence.steps.length} steps begun`],
    ['Next', ended ? undefined : next?.name],
    ['Expected end', ended || forecast === undefined ? undefined : `${formatClock(forecast.endsAt)}Z${late}`],
    ['Allowed', `${formatDuration(objectives.rtoMs)} (RTO)`],
    ['Data loss', rpo.valueMs === undefined ? undefined : formatDuration(rpo.valueMs)],
  ];
  return rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
}

const glyphs = { good: '✓', warn: '!', bad: '✗', calm: '·' } as const;

function waiting({ approvals = [], decisions = [] }: Evidence, around: Around): SectionBlock[] {
  const lines = [
    ...approvals
      .filter(({ outcome }) => outcome === undefined)
      .map(
        (one) =>
          `*${inert(one.name)}* ${isAgreed(one) ? 'was asked at' : 'waits since'} ${formatClock(one.openedAt)}Z. ${awaited(one, around)}`,
      ),
    ...decisions
      .filter(({ closedAt }) => closedAt === undefined)
      .map(
        (one) =>
          `*${inert(one.name)}* failed, and waits since ${formatClock(one.openedAt)}Z. ${waitsFor(one.asked, around)}`,
      ),
  ];
  return lines.length === 0 ? [] : [section(lines)];
}

function ordinal(attempt: number): string {
  return attempt === 1 ? 'once' : `${attempt} times`;
}

function moment(at: string): string {
  return formatMoment(at);
}

function pageLine({ page }: Around): string[] {
  return page !== undefined && /^https?:\/\/[^\s<>|]+$/.test(page) ? [`<${page}|the run's page>`] : [];
}

function header(text: string): HeaderBlock {
  return { type: 'header', text: plain(text, limits.header) };
}

function section(lines: string[]): SectionBlock {
  return { type: 'section', text: mrkdwn(lines.join('\n')) };
}

function context(lines: string[]): ContextBlock {
  const elements = lines.slice(0, limits.contextElements).map((line) => mrkdwn(line, limits.context));
  return { type: 'context', elements };
}

/** Facts in the middle make room for the buttons at the end; the code stands for them all. */
function capped(blocks: KnownBlock[]): KnownBlock[] {
  if (blocks.length <= limits.blocks) return blocks;
  const tail = blocks.slice(-4);
  const note = context(['There is more: see the report.']);
  return [...blocks.slice(0, limits.blocks - tail.length - 1), note, ...tail];
}
