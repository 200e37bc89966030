import { createInterface } from 'node:readline/promises';

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
