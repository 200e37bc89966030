/** What a runbook may be started with. Pure, so that the CLI says the same as the run itself. */
import { closest, distance } from 'fastest-levenshtein';
import type { Mode } from '../evidence/evidence.ts';
import { moment } from '../recovery/moment.ts';
import { ways } from '../recovery/rebuild.ts';
import { wrongSnapshot } from '../recovery/snapshots.ts';
import { wrongTarget } from '../recovery/wanted-target.ts';
import { cacheWorks, type RunbookName, type RunInput } from './messages.ts';
import { signatureIn } from './runbook/people/said.ts';

interface Shape {
  modes: readonly Mode[];
  /** Used when the input names none: a drill may start from nothing, anything else is then only a dry run. */
  usual: Mode;
  fields: Record<string, (value: unknown) => string | undefined>;
  /** What the fields mean together. */
  whole?: (input: object) => string | undefined;
}

function text(value: unknown): string | undefined {
  if (typeof value !== 'string') return 'must be a text';
  return value.trim() === '' ? 'is blank: write something, or leave it out' : undefined;
}

const serviceName = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[a-z][a-z0-9-]{0,40}$/.test(value)
    ? undefined
    : 'must be the name of a service, in lower-case letters, digits and hyphens';

const oneOf =
  (words: readonly string[]) =>
  (value: unknown): string | undefined => {
    if (typeof value === 'string' && words.includes(value)) return undefined;
    const near = typeof value === 'string' ? nearest(value, words) : undefined;
    return `must be one of ${words.join(', ')}${near ? `; did you mean "${near}"?` : ''}`;
  };

const count =
  (least: number, most: number) =>
  (value: unknown): string | undefined =>
    typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
      ? undefined
      : `must be a whole number from ${least} to ${most}`;

const flag = (value: unknown): string | undefined => (typeof value === 'boolean' ? undefined : 'must be true or false');

const names = (value: unknown): string | undefined =>
  Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string' && one.trim() !== '')
    ? undefined
    : 'must be a list of names, such as ["database"]';

const signature = (value: unknown): string | undefined =>
  signatureIn(value) === 'malformed' ? 'must be a signature of the start, as lifeboat start makes it' : undefined;

const shapes: Record<RunbookName, Shape> = {
  'monthly-drill': { modes: ['drill', 'dry-run'], usual: 'drill', fields: { target: moment } },
  backup: {
    modes: ['live', 'dry-run'],
    usual: 'dry-run',
    fields: { type: oneOf(['full', 'differential', 'incremental']) },
  },
  anchor: { modes: ['live', 'dry-run'], usual: 'dry-run', fields: {} },
  sweep: {
    modes: ['live', 'dry-run'],
    usual: 'dry-run',
    fields: { host: text, shownBy: text },
    whole: shownBefore,
  },
  switchover: { modes: ['live', 'dry-run'], usual: 'dry-run', fields: { to: text } },
  'database-failover': {
    modes: ['live', 'dry-run'],
    usual: 'dry-run',
    fields: { from: text, to: text, incidentAt: moment },
  },
  'region-switchover': { modes: ['live', 'dry-run'], usual: 'dry-run', fields: { to: text } },
  'region-failover': {
    modes: ['live', 'dry-run'],
    usual: 'dry-run',
    fields: { from: text, to: text, incidentAt: moment },
  },
  'region-failback': { modes: ['live', 'dry-run'], usual: 'dry-run', fields: { to: text, way: oneOf(ways) } },
  'standby-rebuild': {
    modes: ['live', 'dry-run'],
    usual: 'dry-run',
    fields: { host: text, way: oneOf(ways) },
  },
  'point-in-time-recovery': {
    modes: ['live', 'dry-run'],
    usual: 'dry-run',
    fields: { target: wrongTarget, incidentAt: moment },
    whole: targetNamed,
  },
  'traffic-shift': { modes: ['live', 'dry-run'], usual: 'dry-run', fields: { to: count(0, 100) } },
  accept: { modes: ['live', 'dry-run'], usual: 'dry-run', fields: { recovery: text }, whole: recoveryNamed },
  'application-recovery': {
    modes: ['live', 'dry-run'],
    usual: 'dry-run',
    fields: { component: text, action: oneOf(['restart', 'start', 'quiesce', 'resume']), incidentAt: moment },
  },
  'cache-recovery': {
    modes: ['live', 'dry-run'],
    usual: 'dry-run',
    fields: { component: text, do: oneOf(cacheWorks) },
  },
  'full-restore': {
    modes: ['live', 'dry-run'],
    usual: 'dry-run',
    fields: { target: wrongTarget, primary: text, incidentAt: moment },
  },
  'full-recovery': {
    modes: ['live', 'dry-run'],
    usual: 'dry-run',
    fields: { target: wrongTarget, primary: text, incidentAt: moment, scope: names },
  },
  'configuration-restore': {
    modes: ['live', 'dry-run'],
    usual: 'dry-run',
    fields: { component: text, snapshot: wrongSnapshot, incidentAt: moment },
  },
  'file-backup': { modes: ['live', 'dry-run'], usual: 'dry-run', fields: { component: text } },
  find: {
    modes: ['live', 'dry-run'],
    usual: 'dry-run',
    fields: {
      from: moment,
      to: moment,
      table: text,
      order: oneOf(['weight', 'time']),
      rows: count(1, 1_000_000_000),
      limit: count(1, 200),
      names: flag,
    },
    whole: inOrder,
  },
};

/** There is no usual target: nobody should lose data to a default. */
function targetNamed(input: object): string | undefined {
  return 'target' in input && input.target !== undefined
    ? undefined
    : '"target" is missing: say where to go back to, such as 2026-11-21T14:00:00Z, before 0/59E1A40 or before transaction 4711 (lifeboat find names it)';
}

/** What is removed follows from the recovery alone. */
function recoveryNamed(input: object): string | undefined {
  return 'recovery' in input && input.recovery !== undefined
    ? undefined
    : '"recovery" is missing: name the run of the recovery that is accepted';
}

/** People see first what will be removed, and then exactly that is. */
function shownBefore(input: object): string | undefined {
  const live = 'mode' in input && input.mode === 'live';
  const named = 'shownBy' in input && input.shownBy !== undefined;
  if (live && !named)
    return '"shownBy" is missing: a live sweep removes what a dry run has shown; start it without a mode first, and name that run here';
  return !live && named ? '"shownBy" is only for a live sweep: add "mode": "live", or leave it out' : undefined;
}

function inOrder(input: object): string | undefined {
  const from = 'from' in input ? input.from : undefined;
  const to = 'to' in input ? input.to : undefined;
  if (typeof from !== 'string' || typeof to !== 'string' || Date.parse(from) < Date.parse(to)) return undefined;
  return `"from" (${from}) is not before "to" (${to}): give the earlier moment first`;
}

/** The nearest of `words`, when it is near enough to be meant. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  if (words.length === 0) return undefined;
  const near = closest(word.toLowerCase(), [...words]);
  return distance(word.toLowerCase(), near.toLowerCase()) <= Math.max(2, Math.floor(word.length / 3))
    ? near
    : undefined;
}

/** One sentence that says what is wrong with an input and what to write instead; `undefined` when it can be used. */
export function checkInput(runbook: RunbookName, input: unknown): string | undefined {
  if (input === undefined || input === null) return undefined;
  if (typeof input !== 'object' || Array.isArray(input))
    return `${runbook} starts from one JSON object such as {"service":"orders"}, or from nothing; this is ${Array.isArray(input) ? 'a list' : `a ${typeof input}`}`;
  const shape = shapes[runbook];
  const fields: Shape['fields'] = {
    service: serviceName,
    requestedBy: text,
    requestSignature: signature,
    mode: oneOf(shape.modes),
    ...shape.fields,
  };
  for (const [field, value] of Object.entries(input)) {
    const look = Object.hasOwn(fields, field) ? fields[field] : undefined;
    if (look === undefined) return strange(runbook, field, Object.keys(fields));
    const wrong = value === undefined ? undefined : look(value);
    if (wrong !== undefined) return `"${field}" ${wrong}`;
  }
  return shape.whole?.(input);
}

function strange(runbook: RunbookName, field: string, known: string[]): string {
  const near = nearest(field, known);
  return `${runbook} knows no field "${field}"${near ? `: did you mean "${near}"?` : '.'} It knows ${known.join(', ')}.`;
}

/** The mode in which an input that passed `checkInput` runs. */
export function modeOf(runbook: RunbookName, input: RunInput): Mode {
  return input.mode ?? shapes[runbook].usual;
}
