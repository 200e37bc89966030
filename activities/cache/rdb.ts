/** An RDB file: whether it is whole, and what is in it. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { formatBytes, formatNumberOf } from '../../evidence/format.ts';
import { runTool } from '../child.ts';
import type { CacheServer, RdbFound } from '../contract.ts';
import { failure } from '../failure.ts';
import type { Permit } from '../permit.ts';
import { permitCache } from '../permit-cache.ts';

/** A file of many gigabytes is read wholly; milliseconds. */
const checkWithinMs = 30 * 60_000;

export async function rdbFound({ server, file }: { server: CacheServer; file: string }): Promise<RdbFound> {
  const { permit } = await permitCache(server, file);
  return checkRdb(permit, file, server.host);
}

/** Once more after it was copied, so that what is loaded is what was looked at. @throws RdbUnfit */
export async function checkRdb(permit: Permit, file: string, host: string): Promise<RdbFound> {
  const bytes = await stat(file).then(
    (found) => (found.isFile() ? found.size : 0),
    (error: NodeJS.ErrnoException) => {
      throw failure(
        'RdbUnfit',
        `${file} cannot be read on ${host} (${error.code ?? error.message}), expected an RDB file. Put it there, readable by the user of lifeboat-host.`,
        error,
      );
    },
  );
  const { code, stdout, stderr } = await runTool(join(permit.redis, 'redis-check-rdb'), [file], {
    withinMs: checkWithinMs,
  });
  if (code !== 0 || !/RDB looks OK/.test(stdout))
    throw failure(
      'RdbUnfit',
      `redis-check-rdb finds ${file} on ${host} damaged: ${lastWords(`${stdout}\n${stderr}`)}. Nothing was changed. Restore from another file.`,
    );
  const keys = number(/\] (\d+) keys read/.exec(stdout));
  const expired = number(/\] (\d+) already expired/.exec(stdout));
  if (keys - expired <= 0)
    throw failure(
      'RdbUnfit',
      `${file} on ${host} holds ${keys} keys, ${expired} of them expired: nothing would come back. Restore from another file.`,
    );
  const expiring = number(/\] (\d+) expires/.exec(stdout));
  const seconds = number(/AUX FIELD ctime = '(\d+)'/.exec(stdout));
  const at = seconds > 0 ? new Date(seconds * 1_000).toISOString() : undefined;
  return {
    sha256: await sha256Of(file),
    bytes,
    keys,
    expiring: Math.max(expiring, expired),
    ...(at === undefined ? {} : { at }),
    found: `${file}: ${formatNumberOf(keys, 'key')} (${expired} expired), ${formatBytes(bytes)}, written ${at ?? 'at a time that it does not say'}`,
    expected: 'an RDB that redis-check-rdb finds whole',
  };
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

function number(match: RegExpExecArray | null): number {
  return Number(match?.[1] ?? 0);
}

function lastWords(output: string): string {
  return output.trim().split('\n').slice(-3).join(' | ').slice(0, 400);
}
