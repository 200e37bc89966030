import { formatDuration } from '../../evidence/format.ts';

/** What is asked, and what a good answer looks like. */
export interface HealthQuestion {
  url: string;
  status: number;
  contains?: string | undefined;
}

/** Milliseconds. One that answers later helps nobody. */
const answerWithinMs = 5_000;

/** Bytes of an answer that are read at most. */
const longest = 256 * 1024;

/** One question. The answer itself is told to nobody: an application may say anything in it. */
export async function askHealth({
  url,
  status,
  contains,
}: HealthQuestion): Promise<{ healthy: boolean; words: string }> {
  const sick = (words: string) => ({ healthy: false, words: `${url} ${words}` });
  try {
    const signal = AbortSignal.timeout(answerWithinMs);
    const answer = await fetch(url, { redirect: 'manual', signal, headers: { connection: 'close' } });
    const text = await textOf(answer);
    if (answer.status !== status) return sick(`answers ${answer.status}, expected ${status}`);
    if (contains !== undefined && !text.includes(contains))
      return sick(`answers ${status} without ${JSON.stringify(contains)} in it`);
    return {
      healthy: true,
      words: `${url} answers ${status}${contains === undefined ? '' : `, with ${JSON.stringify(contains)} in it`}`,
    };
  } catch (error) {
    if (error instanceof Error && error.name === 'TimeoutError')
      return sick(`does not answer within ${formatDuration(answerWithinMs)}`);
    return sick(`does not answer (${whyNot(error)})`);
  }
}

async function textOf(answer: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of answer.body ?? []) {
    parts.push(part);
    size += part.length;
    if (size >= longest) break;
  }
  return Buffer.concat(parts).subarray(0, longest).toString('utf8');
}

function whyNot(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (cause instanceof Error) return 'code' in cause ? String(cause.code) : cause.message;
  return String(cause);
}
