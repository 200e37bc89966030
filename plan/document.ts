/** A plan's text as a tree with places. YAML can do more than a plan needs; what could surprise a reader is refused. */
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  Lexer,
  LineCounter,
  type Pair,
  Parser,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml';
import type { Finding, Path, PlanProblem } from './problems.ts';

export interface PlanDocument {
  value: unknown;
  /** Gives findings their places. */
  place(finding: Finding): Omit<PlanProblem, 'file' | 'path'>;
  /** Whether something is written at the path. */
  has(path: Path): boolean;
}

type Placed = Omit<PlanProblem, 'file' | 'path'>;

const mostBytes = 1024 * 1024;
/** Deeper nesting than any plan has; 20,000 brackets end the process inside of the YAML library. */
const deepest = 50;

export function readDocument(text: string): { document: PlanDocument } | { problems: Placed[] } {
  const lines = new LineCounter();
  if (text.length > mostBytes)
    return { problems: [{ line: 1, column: 1, message: 'the file is larger than 1 MB: a plan is not' }] };
  const tooDeep = nestedTooDeep(text);
  if (tooDeep) return { problems: [tooDeep] };
  const parsed = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true, schema: 'core' });
  if (parsed.errors.length > 0) return { problems: syntaxProblems(parsed.errors, text, lines) };
  const surprises = surprisesIn(parsed, lines);
  if (surprises.length > 0) return { problems: surprises };
  if (parsed.contents === null || (isScalar(parsed.contents) && parsed.contents.value === null))
    return {
      problems: [{ line: 1, column: 1, message: 'the plan is empty', instead: 'begin with "service: <name>"' }],
    };
  if (!isMap(parsed.contents))
    return {
      problems: [
        { line: 1, column: 1, message: 'a plan is a map of keys and values', instead: 'begin with "service: <name>"' },
      ],
    };
  return {
    document: {
      value: parsed.toJS(),
      place: ({ path, at, message, instead }) => ({
        ...positionOf(parsed, lines, path, at),
        message,
        ...(instead === undefined ? {} : { instead }),
      }),
      has: (path) => parsed.hasIn(path),
    },
  };
}

function nestedTooDeep(text: string): Placed | undefined {
  const lines = new LineCounter();
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    for (const _token of parser.next(lexeme));
    if (parser.stack.length > 2 * deepest)
      return { ...at(lines, parser.offset), message: `it is nested more than ${deepest} levels deep: a plan is not` };
  }
  return undefined;
}

const tabs = 'a tab cannot indent: use spaces';

/** In our words: YAML's own quote the text, and the text may hold a secret. */
const syntax: Partial<Record<YAMLError['code'], string>> = {
  DUPLICATE_KEY: 'this key stands here twice: keep one',
  TAB_AS_INDENT: tabs,
  BAD_INDENT: 'the indentation does not fit the lines above: keys that belong together start in the same column',
  MULTIPLE_DOCS: 'a second document begins here (---): a file holds one plan',
  MISSING_CHAR: 'a closing quote, bracket or colon is missing before this place',
  BLOCK_AS_IMPLICIT_KEY: 'there is a second colon in this line: put the text in quotes',
  MULTILINE_IMPLICIT_KEY: 'a colon is missing in this line, or a quote is not closed',
  BAD_SCALAR_START: 'a text cannot begin with this character: put it in quotes',
  BAD_DQ_ESCAPE: 'this escape does not exist in double quotes: use single quotes',
  NON_STRING_KEY: 'a key is a plain word',
  MULTIPLE_ANCHORS: 'a plan uses no anchors (&, *): write the value out',
  BAD_ALIAS: 'a plan uses no anchors (&, *): write the value out',
  TAG_RESOLVE_FAILED: 'a plan uses no tags (!): write the plain value',
};

/** One mistake gives a trail of errors down to the end of the file: only the first is told, and keys that stand twice before it. */
function syntaxProblems(errors: YAMLError[], text: string, lines: LineCounter): Placed[] {
  const inOrder = [...errors].sort((a, b) => a.pos[0] - b.pos[0]);
  const first = inOrder.find(({ code }) => code !== 'DUPLICATE_KEY');
  const told = inOrder.filter((error) => error === first || !first || error.pos[0] < first.pos[0]);
  return told.map((error) => {
    const place = at(lines, error.pos[0]);
    const tab = error === first ? tabbedLine(text, place.line) : undefined;
    if (tab !== undefined) return { line: tab, column: 1, message: tabs };
    return { ...place, message: syntaxMessage(error, text, place.line) };
  });
}

/** A tab may be read as part of a text, and the error then shows further down. */
function tabbedLine(text: string, until: number): number | undefined {
  const index = text.split('\n', until).findIndex((line) => /^ *\t/.test(line));
  return index === -1 ? undefined : index + 1;
}

function syntaxMessage(error: YAMLError, text: string, line: number): string {
  const written = text.split('\n')[line - 1] ?? '';
  if (/\{[^'"]*\$\{/.test(written) && error.code === 'UNEXPECTED_TOKEN')
    return `inside braces a named secret needs quotes: '\${env:NAME}'`;
  return (
    syntax[error.code] ??
    'this is not YAML as a plan needs it: check quotes, brackets and indentation here and in the line above'
  );
}

function surprisesIn(parsed: Document.Parsed, lines: LineCounter): Placed[] {
  const problems: Placed[] = [];
  const say = (offset: number | undefined, message: string): void => {
    problems.push({ ...at(lines, offset ?? 0), message });
  };
  if (parsed.directives?.yaml.explicit) say(0, 'a plan has no % directives: leave the line out');
  visit(parsed, {
    Node: (_, node) => {
      const offset = node.range?.[0];
      if (isAlias(node) || ('anchor' in node && node.anchor !== undefined))
        say(offset, 'a plan uses no anchors (&, *): write the value out');
      else if (isScalar(node) && node.value === '__proto__')
        say(offset, 'this word has a meaning of its own to programs: use another');
      else if (node.tag !== undefined) say(offset, 'a plan uses no tags (!): write the plain value');
      else if (isScalar(node) && typeof node.value === 'string' && unseen.test(node.value))
        say(offset, 'there is a character here that cannot be seen: write the text again by hand');
    },
  });
  return problems;
}

/** Control characters, and marks that make a text read differently from what it is. */
const unseen = /[^\P{Cc}\n\t]|[\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/u;

function at(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

/** The place of a value; of its key when it is asked for, has no value, or stands at the end of a line above its content. */
function positionOf(
  parsed: Document.Parsed,
  lines: LineCounter,
  path: Path,
  which: Finding['at'],
): { line: number; column: number } {
  const pair = pairAt(parsed, path);
  const value = path.length === 0 ? parsed.contents : (pair?.value ?? parsed.getIn(path, true));
  const key = isNode(pair?.key) ? pair.key.range?.[0] : undefined;
  const block = isCollection(value) && value.flow !== true && pair !== undefined;
  const start = isNode(value) ? value.range?.[0] : undefined;
  const offset = which === 'key' || block || start === undefined || isEmpty(value) ? (key ?? start) : start;
  if (offset !== undefined) return at(lines, offset);
  return path.length === 0 ? { line: 1, column: 1 } : positionOf(parsed, lines, path.slice(0, -1), 'key');
}

function isEmpty(value: unknown): boolean {
  return isScalar(value) && value.value === null;
}

function pairAt(parsed: Document.Parsed, path: Path): Pair | undefined {
  const key = path.at(-1);
  const parent = path.length < 2 ? parsed.contents : parsed.getIn(path.slice(0, -1), true);
  if (path.length === 0 || !isMap(parent)) return undefined;
  return parent.items.find((pair) => isPair(pair) && isScalar(pair.key) && String(pair.key.value) === String(key));
}
