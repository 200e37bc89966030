/** One connection to Redis or Sentinel for one piece of work: nothing is tried again here, and nothing is resolved in between. */
import { isIP } from 'node:net';
import { Redis } from 'ioredis';
import { failure } from '../failure.ts';
import { resolveSecret } from '../secrets.ts';

export type Place = { host: string; port: number } | { socket: string };

export interface Login {
  user?: string | undefined;
  /** Names the secret. */
  password?: string | undefined;
}

/** Sends a command, and returns its reply. */
export type Send = (command: string, ...words: (string | number)[]) => Promise<unknown>;

/** A server that hangs answers no more; milliseconds. */
const usuallyWithinMs = 3_000;

/** @throws CacheUnreachable @throws CacheRefused */
export async function withRedis<T>(
  place: Place,
  login: Login,
  work: (send: Send) => Promise<T>,
  withinMs = usuallyWithinMs,
): Promise<T> {
  const password = login.password === undefined ? undefined : await resolveSecret(login.password);
  const redis = new Redis({
    ...('socket' in place ? { path: place.socket } : { host: place.host, port: place.port, family: isIP(place.host) }),
    lazyConnect: true,
    // The other one begins with HELLO, which a server that wants a password refuses.
    protocol: 2,
    connectTimeout: withinMs,
    commandTimeout: withinMs,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    // One that still loads its data can be asked how far it is.
    enableReadyCheck: false,
  });
  // Without a listener it would be written to the log; the connection's own promise tells it.
  let why: Error | undefined;
  redis.on('error', (error: Error) => {
    why = error;
  });
  const send: Send = async (command, ...words) => {
    try {
      return await redis.call(command, ...words);
    } catch (error) {
      throw inWords(place, error, why);
    }
  };
  try {
    await redis.connect().catch((error: unknown) => {
      throw inWords(place, error, why);
    });
    if (password !== undefined) await enter(send, login.user, password);
    return await work(send);
  } finally {
    redis.disconnect();
  }
}

/** Not by ioredis itself, which goes on without a word where no password is wanted. */
async function enter(send: Send, user: string | undefined, password: string): Promise<void> {
  try {
    await send('AUTH', ...(user === undefined ? [password] : [user, password]));
  } catch (error) {
    if (!/without any password configured|no password is set/i.test(wordsOf(error))) throw error;
  }
}

function placeName(place: Place): string {
  return 'socket' in place ? place.socket : `${place.host}:${place.port}`;
}

export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What a server has answered is told as it is; what has not come is `CacheUnreachable`. */
function inWords(place: Place, error: unknown, why: Error | undefined): Error {
  const words = wordsOf(error);
  if (error instanceof Error && (error.name === 'ReplyError' || /^NOAUTH /.test(words))) {
    if (!/^(NOAUTH|WRONGPASS|NOPERM|DENIED)/.test(words)) return error;
    return failure(
      'CacheRefused',
      `${placeName(place)} refuses: ${words} Correct user and password of the component in the plan, or the rights of that user.`,
    );
  }
  return failure(
    'CacheUnreachable',
    `${placeName(place)} does not answer (${causeOf(why === undefined ? words : why.message)}). Look whether it runs, and can be reached from here.`,
  );
}

function causeOf(words: string): string {
  if (/ECONNREFUSED|ENOENT/.test(words)) return 'nobody listens there';
  return /timed out|ETIMEDOUT/.test(words) ? 'no answer in time' : words;
}
