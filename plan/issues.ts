/** What the schema has to say of a plan, in words for the person who wrote it. */
import { closest, distance } from 'fastest-levenshtein';
import type { z } from 'zod';
import { knownKeys } from './known-keys.ts';
import { type Finding, type Path, pathInWords } from './problems.ts';

type Issue = z.core.$ZodIssue;

interface Written {
  value: unknown;
  has(path: Path): boolean;
}

/** All findings, each once; a misspelt key is not also reported as missing. */
export function findings(issues: readonly Issue[], written: Written): Finding[] {
  const flat = issues.flatMap((issue) => unfold(issue, [], written));
  const misspelt = new Set(
    flat.flatMap(({ issue, path }) => (issue.code === 'unrecognized_keys' ? meantBy(issue.keys, path) : [])),
  );
  return flat.flatMap(({ issue, path }) => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(key, path));
    if (!written.has(path) && misspelt.has(pathInWords(path))) return [];
    return [inWords(issue, path, written)];
  });
}

function meantBy(keys: string[], path: Path): string[] {
  return keys.flatMap((key) => {
    const near = nearestKey(key, knownKeys(path));
    return near === undefined ? [] : [pathInWords([...path, near])];
  });
}

interface Flat {
  issue: Issue;
  /** From the root of the plan. */
  path: Path;
}

/** Of a union only the branch is told that the writer had in mind: the one whose kind of value is there. */
function unfold(issue: Issue, before: Path, written: Written): Flat[] {
  const path = [...before, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))];
  if (issue.code === 'invalid_union') {
    const branch = issue.errors.find(
      (errors) => !errors.some(({ code, path: at }) => code === 'invalid_type' && at.length === 0),
    );
    if (branch !== undefined) return branch.flatMap((inner) => unfold(inner, path, written));
  }
  return [{ issue, path }];
}

function inWords(issue: Issue, path: Path, written: Written): Finding {
  const where = pathInWords(path);
  const value = valueAt(written.value, path);
  if (!written.has(path)) {
    const parent = path.slice(0, -1);
    return {
      path: parent,
      at: 'key',
      message: `"${path.at(-1)}" is missing${parent.length > 0 ? ` in ${pathInWords(parent)}` : ''}`,
    };
  }
  if (value === null) return { path, at: 'key', message: `${where} has no value` };
  if (issue.code === 'invalid_key') {
    const inner = issue.issues[0]?.message ?? 'not a key that is understood';
    return { path, at: 'key', ...sentence(`"${path.at(-1)}" is ${inner}`) };
  }
  if (issue.code === 'invalid_value') return unknownKind(issue, path, value);
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input'))
    return {
      path,
      message: `${where} is ${nameOf(value)}`,
      instead: `write ${kinds[issue.expected] ?? issue.expected}`,
    };
  if (issue.message === 'Invalid input')
    return {
      path,
      message: `${where} is ${nameOf(value)}`,
      instead: 'write a list of names, or a map of names and addresses',
    };
  // Of a section that comes in several kinds, none is called so.
  if (issue.code === 'invalid_union' && typeof value === 'string' && issue.message.startsWith('not '))
    return { path, ...sentence(`${JSON.stringify(value.slice(0, 40))} is ${issue.message}`) };
  return {
    path,
    ...sentence(issue.message.startsWith('not ') ? `${where} is ${issue.message}` : `${where}: ${issue.message}`),
  };
}

/** `what is wrong: write this` as its two halves. */
function sentence(text: string): Pick<Finding, 'message' | 'instead'> {
  const [, message, instead] = /^(.*?): ((?:write|begin|name|use) .*)$/s.exec(text) ?? [];
  return message === undefined || instead === undefined ? { message: text } : { message, instead };
}

function unknownKind(issue: Extract<Issue, { code: 'invalid_value' }>, path: Path, value: unknown): Finding {
  const parent = pathInWords(path.slice(0, -1));
  const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : nameOf(value);
  return {
    path,
    message: `${shown} is not a kind of ${parent} that Lifeboat knows`,
    instead: `write ${issue.values.map(String).join(' or ')}`,
  };
}

function unknownKey(key: string, path: Path): Finding {
  const known = knownKeys(path);
  const near = nearestKey(key, known);
  const where = path.length === 0 ? '' : ` in ${pathInWords(path)}`;
  const list = known.length === 0 ? undefined : `the keys here are ${known.join(', ')}`;
  const instead = near === undefined ? list : `did you mean "${near}"?`;
  return {
    path: [...path, key],
    at: 'key',
    message: `unknown key ${JSON.stringify(key.slice(0, 60))}${where}`,
    ...(instead && { instead }),
  };
}

export function nearestKey(key: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const near = closest(key, [...known]);
  const away = distance(key.toLowerCase(), near.toLowerCase());
  return away <= Math.max(1, Math.floor(near.length / 3)) ? near : undefined;
}

const kinds: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of keys and values',
  record: 'a map of names',
};

function nameOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  return { string: 'a text', number: 'a number', boolean: 'true or false' }[String(typeof value)] ?? 'something else';
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, part) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, part)
        ? (inner as Record<string | number, unknown>)[part]
        : undefined,
    value,
  );
}
