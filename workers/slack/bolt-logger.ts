import { type Logger as BoltLogger, LogLevel } from '@slack/bolt';
import type { Logger } from 'pino';

/** Bolt's words in our log. It says much at `info` that is of interest only when something is wrong. */
export function boltLogger(logger: Logger): BoltLogger {
  const words = (parts: unknown[]) =>
    parts
      .map((part) => (part instanceof Error ? part.message : typeof part === 'string' ? part : JSON.stringify(part)))
      .join(' ');
  return {
    debug: (...parts) => logger.trace(words(parts)),
    info: (...parts) => logger.debug(words(parts)),
    warn: (...parts) => logger.warn(words(parts)),
    error: (...parts) => logger.error(words(parts)),
    setLevel: () => undefined,
    getLevel: () => LogLevel.DEBUG,
    setName: () => undefined,
  };
}
