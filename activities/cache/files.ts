/** What lies in the data directory of a Redis server. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes } from '../../evidence/format.ts';
import type { CacheHostReads, CacheServerAsk } from '../contract.ts';
import { permitCache } from '../permit-cache.ts';
import { runs } from './server.ts';

/** By the usual endings, and by the manifest that append-only files stand beside: whatever the configuration calls them. */
export async function cacheFiles(ask: CacheServerAsk): ReturnType<CacheHostReads['cacheFiles']> {
  const { directory } = await permitCache(ask.server);
  const running = await runs(ask, directory);
  const bytes = await contentOf(directory);
  const name = `${ask.server.host}:${ask.server.port}`;
  return {
    running,
    content: bytes > 0,
    bytes,
    found: `${name} ${running ? 'runs' : 'is stopped'}, ${bytes > 0 ? `${formatBytes(bytes)} to start with` : 'nothing to start with'} in ${ask.server.dataDirectory}`,
  };
}

async function contentOf(directory: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(directory, { withFileTypes: true }).catch(() => [])) {
    // What a restore has set aside is not what the server starts with; temp-* is what it has not finished.
    if (entry.name.startsWith('before-') || entry.name.startsWith('temp-')) continue;
    const path = join(directory, entry.name);
    if (entry.isFile() && /\.(rdb|aof)$/.test(entry.name)) bytes += await sizeOf(path);
    if (!entry.isDirectory()) continue;
    const inside = await readdir(path).catch(() => []);
    if (inside.some((name) => name.endsWith('.manifest')))
      for (const name of inside) if (!name.endsWith('.manifest')) bytes += await sizeOf(join(path, name));
  }
  return bytes;
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
