/** What a run says of itself in Temporal's lists, as they are read. */
import { defineSearchAttributeKey, type TypedSearchAttributes } from '@temporalio/common';
import { runbooks, searchAttributes } from './messages.ts';

const keyOf = (name: keyof typeof searchAttributes) => defineSearchAttributeKey(searchAttributes[name], 'KEYWORD');

const keys = {
  service: keyOf('service'),
  mode: keyOf('mode'),
  phase: keyOf('phase'),
  outcome: keyOf('outcome'),
  type: keyOf('type'),
};

type Said = { [K in keyof typeof keys]?: string };

/** A run that was refused at once has said nothing. */
export function attributesOf({ typedSearchAttributes: typed }: { typedSearchAttributes: TypedSearchAttributes }): Said {
  const said: Said = {};
  for (const name of Object.keys(keys) as (keyof typeof keys)[]) {
    const value = typed.get(keys[name]);
    if (value !== undefined) said[name] = value;
  }
  return said;
}

/** A text in a query of Temporal's lists. */
export const inQuery = (value: string): string => `'${value.replaceAll("'", "''")}'`;

/** By type, not by search attribute: a run that was refused at once has none, and a new server does not know them. */
export const ofRunbooks = `WorkflowType IN (${Object.values(runbooks).map(inQuery).join(', ')})`;
