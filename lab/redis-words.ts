/** What Redis servers and Sentinels of the lab say of themselves. */
import { Redis } from 'ioredis';
import type { Port } from './ports.ts';
import { until } from './until.ts';

/** Sentinel's name of the master. */
export const masterName = 'lab-cache';

/** One command, on a connection of its own. */
export async function asked(port: number, password: string | undefined, words: string[]): Promise<unknown> {
  const redis = new Redis({
    host: '127.0.0.1',
    port,
    ...(password === undefined ? {} : { password }),
    lazyConnect: true,
    protocol: 2,
    connectTimeout: 2_000,
    commandTimeout: 5_000,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    const [command = '', ...rest] = words;
    return await redis.call(command, ...rest);
  } finally {
    redis.disconnect();
  }
}

type Ask = (port: number, ...words: string[]) => Promise<unknown>;

/** By its port, as the first Sentinel that answers says. */
export async function masterBy(sentinels: readonly Port[], ask: Ask): Promise<number> {
  for (const { number } of sentinels) {
    const found = await ask(number, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', masterName).catch(() => undefined);
    if (Array.isArray(found)) return Number(found[1]);
  }
  throw new Error('no Sentinel says who the master is');
}

/** One master, whom all follow; all Sentinels agree, know the replicas as fit, and could have another one chosen. */
export function settled(ports: { members: readonly Port[]; sentinels: readonly Port[] }, ask: Ask): Promise<void> {
  return until({ what: 'one master, and replicas that follow it', withinMs: 60_000 }, async () => {
    const master = await masterBy(ports.sentinels, ask);
    for (const { number } of ports.sentinels) {
      const words = String(await ask(number, 'SENTINEL', 'CKQUORUM', masterName));
      if (!words.includes(`OK ${ports.sentinels.length} usable`)) throw new Error(words);
      if ((await masterBy([{ number } as Port], ask)) !== master) throw new Error('Sentinels disagree');
      const replicas = (await ask(number, 'SENTINEL', 'REPLICAS', masterName)) as string[][];
      const fit = replicas.filter((one) => one[one.indexOf('flags') + 1] === 'slave');
      if (fit.length !== ports.members.length - 1) throw new Error(`${fit.length} replicas are known to be fit`);
    }
    for (const { number } of ports.members) {
      const [role, , , link] = (await ask(number, 'ROLE')) as string[];
      if (number === master ? role !== 'master' : role !== 'slave' || link !== 'connected')
        throw new Error(`${number} is ${role} ${link}`);
    }
    return true;
  }).then(() => undefined);
}
