/** Puts together what a run is started with, and refuses it in words before anything is started. */
import { checkInput, modeOf, nearest } from '../workflows/inputs.ts';
import { type RunbookName, type RunInput, runbooks } from '../workflows/messages.ts';
import { Problem } from './problem.ts';

export interface Wanted {
  runbook: RunbookName;
  input: RunInput & Record<string, unknown>;
  /** The mode that it comes to. */
  mode: string;
}

/** @throws Problem naming the nearest runbook */
export function runbookNamed(name: string): RunbookName {
  const names = Object.keys(runbooks) as RunbookName[];
  const found = names.find((one) => one === name || runbooks[one] === name);
  if (found !== undefined) return found;
  const near = nearest(name, names);
  throw new Problem(
    'badInput',
    `There is no runbook "${name}"${near === undefined ? '' : `: did you mean "${near}"?`} There are: ${names.join(', ')}.`,
  );
}

/** @throws Problem that says what is wrong and what to write instead */
export function checked(runbook: RunbookName, input: Record<string, unknown>): Wanted {
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
  const wrong = checkInput(runbook, given);
  if (wrong !== undefined)
    throw new Problem('badInput', `${wrong.trimEnd().replace(/([^.?!])$/, '$1.')}`, 'InputInvalid');
  return { runbook, input: given, mode: modeOf(runbook, given) };
}

/** The object that `--input` holds. */
export function inputFromJson(text: string): Record<string, unknown> {
  const value = parse(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new Problem('badInput', `--input takes one JSON object, such as '{"target":"2026-11-21T14:00:00Z"}'.`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Problem('badInput', `--input is not JSON (${why}): write one object, such as '{"service":"orders"}'.`);
  }
}

/** Says the same thing once: an argument and the JSON must not disagree. */
export function merged(json: Record<string, unknown>, given: Record<string, unknown>): Record<string, unknown> {
  for (const [field, value] of Object.entries(given))
    if (value !== undefined && json[field] !== undefined && json[field] !== value)
      throw new Problem(
        'badInput',
        `"${field}" is ${JSON.stringify(value)} on the command line and ${JSON.stringify(json[field])} in --input: say it once.`,
      );
  return { ...json, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}
