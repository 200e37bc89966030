/** Commands by which a plan speaks to its application: what they say, and how they end. */
import { formatDuration } from '../../evidence/format.ts';
import { runLong } from '../child.ts';
import type { Found } from '../shapes.ts';
import { lastLines } from '../tail.ts';

interface Telling {
  command: string[];
  withinMs: number;
  env?: Record<string, string>;
  log: string;
}

/** Exit code 0 is good; everything else is told in words, with what it said last. */
export async function told(
  host: string,
  { command, withinMs, env = {}, log }: Telling,
): Promise<{ good: true; found: Found } | { good: false; why: string }> {
  const [file = '', ...words] = command;
  const started = Date.now();
  const details = (lines: string[]) => ({ line: lines.at(-1) ?? '' });
  const { code, timedOut } = await runLong({ file, words, env, log, details, withinMs });
  const tail = await lastLines(log, 5);
  if (code === 0 && !timedOut)
    return {
      good: true,
      found: {
        found: `${tail.at(-1) ?? 'exit code 0, without a word'} (${formatDuration(Date.now() - started)})`,
        expected: `${command.join(' ')} ends with exit code 0`,
        log: { host, path: log, lastLines: tail },
      },
    };
  const how = timedOut ? `did not end within ${formatDuration(withinMs)}` : `ended with exit code ${code}`;
  return {
    good: false,
    why: `${file} ${how}, expected 0. It said: ${tail.join(' | ').slice(0, 600) || 'nothing'}.`,
  };
}
