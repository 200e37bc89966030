/** The buttons of an approval and of a decision, and what a click on one says: written here, read by the gateway. */
import type { ActionsBlock, Button, ConfirmationDialog } from '@slack/types';
import type { Evidence } from '../../evidence/evidence.ts';
import type { Alternative, Approval, Decision, DecisionAction } from '../../evidence/people.ts';
import { clipped } from '../../evidence/render/text.ts';
import { exact, fitting, inert, limits, mrkdwn, plain } from './slack-text.ts';

/** What a button means. Who has clicked is never in it: Slack says that. */
export interface ButtonMeaning {
  run: string;
  /** Step id of the approval or the decision. */
  about: string;
  code: string;
  /** An alternative of the approval, or `retry`, `skip`, `abort` of a decision. */
  choice?: string;
  /** The words that have to come with it. */
  wants?: Alternative['wants'];
  /** As people read it, for the dialog that asks for more. */
  label?: string;
}

/** Slack sends them back with each click; what follows a second colon tells apart buttons of one message. */
export const actionNames = {
  approve: 'lifeboat:approve',
  note: 'lifeboat:note',
  reject: 'lifeboat:reject',
  choose: 'lifeboat:choose',
  decide: 'lifeboat:decide',
} as const;

// Beside approve, note and reject.
const mostAlternatives = 20;

/** `undefined`: names too long for what a button can carry; then only the command line can answer. */
export function approvalButtons(evidence: Evidence, approval: Approval): ActionsBlock | undefined {
  const meaning: ButtonMeaning = { run: evidence.run, about: approval.id, code: approval.code };
  const asking = { ...meaning, label: clipped(approval.name, 150) };
  const alternatives = Object.entries(approval.alternatives).slice(0, mostAlternatives);
  const confirm = (title: string, yes: string) =>
    dialog({ title, facts: Object.entries(approval.subject), code: approval.code, yes });
  return actions('approval', [
    button(actionNames.approve, 'Approve', meaning, {
      style: 'primary',
      confirm: confirm(`Approve: ${approval.name}?`, 'Approve'),
    }),
    ...alternatives.map(([choice, { label, wants }], index) =>
      button(
        `${actionNames.choose}:${index}`,
        label,
        { ...meaning, choice, label: clipped(label, 150), ...(wants && { wants }) },
        {
          // What wants words opens a dialog anyhow.
          ...(wants === undefined && { confirm: confirm(`${label}?`, 'Choose this') }),
        },
      ),
    ),
    button(actionNames.note, 'Approve with a note…', asking),
    button(actionNames.reject, 'Reject…', asking, { style: 'danger' }),
  ]);
}

const decisionWords: Record<DecisionAction, string> = {
  retry: 'Retry',
  skip: 'Skip the step…',
  abort: 'Abort the run…',
};

export function decisionButtons(evidence: Evidence, decision: Decision): ActionsBlock | undefined {
  const meaning: ButtonMeaning = {
    run: evidence.run,
    about: decision.step,
    code: decision.code,
    label: clipped(decision.name, 150),
  };
  return actions(
    'decision',
    decision.offers.map((choice) =>
      button(
        `${actionNames.decide}:${choice}`,
        decisionWords[choice],
        { ...meaning, choice },
        {
          ...(choice === 'abort' && { style: 'danger' as const }),
          ...(choice === 'retry' && {
            style: 'primary' as const,
            confirm: dialog({
              title: `Retry: ${decision.name}?`,
              facts: [['failed with', decision.failure.type]],
              code: decision.code,
              yes: 'Retry',
            }),
          }),
        },
      ),
    ),
  );
}

/** What a button carried; `undefined` when it is none of ours. */
export function meaningOf(value: unknown): ButtonMeaning | undefined {
  if (typeof value !== 'string' || value.length > limits.buttonValue) return undefined;
  let read: unknown;
  try {
    read = JSON.parse(value);
  } catch {
    return undefined;
  }
  if (typeof read !== 'object' || read === null) return undefined;
  const fields = new Map(Object.entries(read));
  const text = (field: string) => {
    const found: unknown = fields.get(field);
    return typeof found === 'string' ? found : undefined;
  };
  const [run, about, code, choice, label, wants] = ['run', 'about', 'code', 'choice', 'label', 'wants'].map(text);
  if (run === undefined || about === undefined || code === undefined) return undefined;
  return {
    run,
    about,
    code,
    ...(choice !== undefined && { choice }),
    ...(label !== undefined && { label }),
    ...((wants === 'time' || wants === 'text') && { wants }),
  };
}

function button(
  action: string,
  label: string,
  meaning: ButtonMeaning,
  more: Pick<Button, 'style' | 'confirm'> = {},
): Button {
  return {
    type: 'button',
    action_id: action,
    text: plain(label, limits.button),
    value: JSON.stringify(meaning),
    ...more,
  };
}

function actions(block: string, elements: Button[]): ActionsBlock | undefined {
  const fits = elements.every(({ value = '' }) => value.length <= limits.buttonValue);
  if (!fits || elements.length === 0) return undefined;
  return { type: 'actions', block_id: `lifeboat:${block}`, elements };
}

interface Dialog {
  title: string;
  facts: [string, string | number][];
  code: string;
  yes: string;
}

/** Repeats what is said yes to. The code stands first: it is the one fact that stands for all that there is no room for. */
function dialog({ title, facts, code, yes }: Dialog): ConfirmationDialog {
  const lines = facts.map(([name, value]) => `${inert(name, 60)}: ${exact(value, 80)}`);
  const first = `Code ${exact(code, 40)}`;
  const shown: string[] = [];
  const more = (left: number) => `and ${left} more, see the message`;
  for (const [index, line] of lines.entries()) {
    const left = lines.length - index - 1;
    const length = [first, ...shown, line, ...(left > 0 ? [more(left)] : [])].join('\n').length;
    if (length > limits.confirmText) break;
    shown.push(line);
  }
  const hidden = lines.length - shown.length;
  const text = [first, ...shown, ...(hidden > 0 ? [more(hidden)] : [])].join('\n');
  return {
    title: plain(title, limits.confirmTitle),
    text: mrkdwn(fitting(text, limits.confirmText), limits.confirmText),
    confirm: plain(yes, limits.confirmButton),
    deny: plain('Not yet', limits.confirmButton),
  };
}
