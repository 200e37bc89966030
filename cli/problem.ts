import type { ExitName } from './exit-codes.ts';

/** What stops a command, in words for the person who typed it: what was seen, what was expected, what to do next. */
export class Problem extends Error {
  readonly exit: ExitName;
  /** A failure type of evidence/failures.ts, when there is one. */
  readonly type: string | undefined;

  constructor(exit: ExitName, message: string, type?: string) {
    super(message);
    this.name = 'Problem';
    this.exit = exit;
    this.type = type;
  }
}
