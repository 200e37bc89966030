/** How a cache stands: what every member says of itself, and how each Sentinel sees them. */
import { type CacheMember, type CacheView, mayPass, type Sentinel, standingOf } from '../../recovery/cache.ts';
import type { CacheAsk, CacheState } from '../contract.ts';
import { pause } from '../heartbeat.ts';
import { withRedis, wordsOf } from './connection.ts';
import { memberOf, parseInfo } from './info.ts';
import { type Member, membersOf, nameAt, redisLogin, sentinelLogin } from './members.ts';

const againMs = 500;

export async function cacheState({ settleMs = 0, ...ask }: CacheAsk & { settleMs?: number }): Promise<CacheState> {
  const until = performance.now() + settleMs;
  for (;;) {
    const view = await lookAt(ask);
    const standing = standingOf(view);
    if (!mayPass(standing) || performance.now() >= until)
      return { ...view, standing, found: standing.words, expected: 'one master, and every other member follows it' };
    await pause(againMs, { looking: standing.words });
  }
}

/** @throws CacheRefused who is there and lets nobody in is no member that is lost */
export async function lookAt(ask: CacheAsk): Promise<CacheView> {
  const known = await membersOf(ask);
  const [members, sentinels] = await Promise.all([
    Promise.all(known.map((one) => lookAtMember(ask, one, known))),
    Promise.all(ask.cache.sentinels.map((place) => lookAtSentinel(ask, place, known))),
  ]);
  return { members, sentinels };
}

/** The role by ROLE, which a server tells whatever it does; all else by INFO. */
async function lookAtMember(ask: CacheAsk, member: Member, known: Member[]): Promise<CacheMember> {
  try {
    return await withRedis(member, redisLogin(ask.cache), async (send) => {
      const info = parseInfo(String(await send('INFO')));
      if (info.loading === '1') return memberOf(member.name, info, nameAt(known));
      const [role] = (await send('ROLE')) as [unknown];
      // A failover between the two questions: what was asked last holds.
      return memberOf(member.name, { ...info, role: String(role) }, nameAt(known));
    });
  } catch (error) {
    return { name: member.name, role: 'unknown', why: unreachable(error) };
  }
}

async function lookAtSentinel(
  { cache }: CacheAsk,
  place: { host: string; port: number },
  known: Member[],
): Promise<Sentinel> {
  const name = `${place.host}:${place.port}`;
  try {
    return await withRedis(place, sentinelLogin(cache), async (send) => {
      const master = pairs(await send('SENTINEL', 'MASTER', cache.master));
      const down = /[so]_down|disconnected/.test(master.flags ?? '');
      return {
        name,
        master: { name: nameAt(known)(master.ip ?? '', Number(master.port)), down },
        quorum: await send('SENTINEL', 'CKQUORUM', cache.master).then(
          (words) => ({ ok: true, words: String(words) }),
          (error: unknown) => ({ ok: false, words: refusal(error) }),
        ),
      };
    });
  } catch (error) {
    const words = unreachable(error);
    return { name, why: /No such master/i.test(words) ? `knows no master "${cache.master}"` : words };
  }
}

/** Only an answer is an answer. */
function refusal(error: unknown): string {
  if (typeOf(error) === 'CacheRefused') throw error;
  return wordsOf(error);
}

function unreachable(error: unknown): string {
  if (typeOf(error) === 'CacheRefused' || typeOf(error) === 'SecretMissing') throw error;
  return /\(([^)]*)\)/.exec(wordsOf(error))?.[1] ?? wordsOf(error);
}

function typeOf(error: unknown): unknown {
  return error instanceof Error && 'type' in error ? error.type : undefined;
}

/** Replies of Sentinel name their fields one after the other. */
function pairs(reply: unknown): Record<string, string> {
  const words = Array.isArray(reply) ? reply.map(String) : [];
  return Object.fromEntries(words.flatMap((word, index) => (index % 2 === 0 ? [[word, words[index + 1] ?? '']] : [])));
}
