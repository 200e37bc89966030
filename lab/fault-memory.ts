/** Answers that the fault proxy has given once, to be given again where they are out of place. */
import type { IncomingMessage, ServerResponse } from 'node:http';

interface Answer {
  status: number;
  headers: string[];
  body: Buffer;
}

export class Memory {
  readonly #answers = new Map<string, Answer>();

  /** The first answer to a question is the store's own; it is given to the same question ever after. */
  async answer(
    question: string,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    ask: () => Promise<IncomingMessage>,
  ): Promise<void> {
    const known = this.#answers.get(question);
    const given = known ?? (await keep(await ask()));
    // What the store refused is not worth remembering.
    if (given.status < 300) this.#answers.set(question, given);
    if (known !== undefined) incoming.resume();
    outgoing.writeHead(given.status, given.headers);
    outgoing.end(given.body);
  }
}

async function keep(answer: IncomingMessage): Promise<Answer> {
  const parts: Buffer[] = [];
  for await (const part of answer as AsyncIterable<Buffer>) parts.push(part);
  return { status: answer.statusCode ?? 502, headers: answer.rawHeaders, body: Buffer.concat(parts) };
}
