/** Everything that is wrong with a plan, each with its place: people mend a plan once, not line by line. */

export interface PlanProblem {
  file: string;
  /** Counted from 1. */
  line: number;
  column: number;
  /** `database.members[0].port`; empty for the plan as a whole. */
  path: string;
  /** What is wrong. Values are shown only where no secret can stand. */
  message: string;
  /** What to write instead. */
  instead?: string;
}

export type Path = readonly (string | number)[];

/** What is wrong at which path, before it is known where in the file that is. */
export interface Finding {
  path: Path;
  /** Point at the key rather than at its value. */
  at?: 'key';
  message: string;
  instead?: string;
}

export class PlanProblems extends Error {
  readonly problems: readonly PlanProblem[];

  constructor(problems: PlanProblem[]) {
    const sorted = [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
    super(sorted.map(problemInWords).join('\n'));
    this.name = 'PlanProblems';
    this.problems = sorted;
  }
}

/** `orders.yaml:12:3 unknown key "critcalTables" in database: did you mean "criticalTables"?` */
export function problemInWords({ file, line, column, message, instead }: PlanProblem): string {
  return `${file}:${line}:${column} ${message}${instead === undefined ? '' : `: ${instead}`}`;
}

export function pathInWords(path: Path): string {
  return path.reduce<string>(
    (words, part) => (typeof part === 'number' ? `${words}[${part}]` : words === '' ? part : `${words}.${part}`),
    '',
  );
}
