import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

type Input = NodeJS.ReadableStream & { isTTY?: boolean };
type Output = NodeJS.WritableStream & { isTTY?: boolean };

/** Only an answer that says yes is one. `undefined` where no person could answer. */
export async function confirm(question: string, input: Input, output: Output): Promise<boolean | undefined> {
  if (input.isTTY !== true || output.isTTY !== true) return undefined;
  const reader = createInterface({ input, output });
  try {
    const answer = await Promise.race([
      reader.question(`${question} [y/N] `),
      // Ctrl-D and Ctrl-C end the question.
      new Promise<string>((resolve) => reader.once('close', () => resolve(''))),
    ]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    reader.close();
  }
}

/** What is typed is not shown. `undefined` where no person could answer, or nobody wanted to. */
export async function askSecret(question: string, input: Input, output: Output): Promise<string | undefined> {
  if (input.isTTY !== true || output.isTTY !== true) return undefined;
  output.write(question);
  const nowhere = new Writable({ write: (_text, _encoding, done) => done() });
  // As a terminal: the reader then takes the keys one by one, and the terminal itself echoes none.
  const reader = createInterface({ input, output: nowhere, terminal: true });
  try {
    return await Promise.race([
      reader.question(''),
      new Promise<undefined>((resolve) => reader.once('close', () => resolve(undefined))),
    ]);
  } finally {
    reader.close();
    output.write('\n');
  }
}
