import { visible } from '../evidence/render/text.ts';

/** Where words go: results to stdout, messages to stderr. */
export interface Terminal {
  /** A result, one or more whole lines. */
  result(text: string): void;
  /** A message beside the result. */
  message(text: string): void;
  /** One line that the next one overwrites; only where a person looks on. Empty text takes it away. */
  passing(text: string): void;
  readonly color: boolean;
  /** Whether a person looks on: stdout is a terminal. */
  readonly live: boolean;
}

interface Stream {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

/** Colours, which are ours; words of others bring none, because they are shown by their codes when a result is drawn. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it begins with one
const colour = /(\u001b\[[0-9;]*m)/;

/** Whatever words of others are in it, a text steers nothing on the terminal: titles, cursors, the reading direction. */
function harmless(text: string): string {
  const parts = text.split(colour);
  return parts.map((part, index) => (index % 2 === 1 ? part : visible(part.replaceAll('\r\n', '\n')))).join('');
}

const clearLine = '\r\u001b[2K';

/** Colour follows https://no-color.org: only on a terminal, and never with NO_COLOR set to something. */
export function wantsColor(stream: Pick<Stream, 'isTTY'>, environment: Record<string, string | undefined>): boolean {
  return stream.isTTY === true && !environment.NO_COLOR && environment.TERM !== 'dumb';
}

export function openTerminal(
  stdout: Stream,
  stderr: Stream,
  environment: Record<string, string | undefined>,
): Terminal {
  const live = stdout.isTTY === true && environment.TERM !== 'dumb';
  let passing = '';
  const clear = () => {
    if (passing !== '') stdout.write(clearLine);
    passing = '';
  };
  return {
    color: wantsColor(stdout, environment),
    live,
    result(text) {
      clear();
      // Into a file or a pipe go the bytes as they are: JSON and HTML have their own ways, and are compared by their hash.
      stdout.write(`${stdout.isTTY === true ? harmless(text) : text}\n`);
    },
    message(text) {
      clear();
      stderr.write(`${harmless(text)}\n`);
    },
    passing(words) {
      const text = visible(words);
      if (!live || text === passing) return;
      clear();
      // A line that wraps could not be taken away again. Some pseudo-terminals say that they are 0 wide.
      passing = text.slice(0, Math.max(0, (stdout.columns || 80) - 1));
      if (passing !== '') stdout.write(passing);
    },
  };
}
