/** Whether a Redis server of this host may be stopped, started and restored: by a list of its own, which is empty unless somebody writes it. */
import { isDeepStrictEqual } from 'node:util';
import type { CacheServer } from './contract.ts';
import { failure } from './failure.ts';
import { loadPermit, type Permit, realOrSame, realPlace } from './permit.ts';

export interface ControlledCache {
  permit: Permit;
  /** Where the data directory really lies. */
  directory: string;
  control: NonNullable<CacheServer['control']>;
}

/**
 * The very words of the plan, the very configuration: `systemctl` alone would permit every service of the host, and another configuration
 * would load any file.
 *
 * @throws PlanInvalid the plan does not say how @throws NotPermitted names what an administrator would add
 */
export async function permitCache(server: CacheServer, restoreFrom?: string): Promise<ControlledCache> {
  const permit = await loadPermit();
  const { control, dataDirectory, config, host } = server;
  if (control === undefined)
    throw failure(
      'PlanInvalid',
      `the plan does not say how the Redis server on ${host}, port ${server.port}, is stopped and started. Add to its member: control: { start: [...], stop: [...] }.`,
    );
  const directory = await realPlace(dataDirectory, permit);
  const configuration = await realPlace(config, permit);
  const file = restoreFrom === undefined ? undefined : await realPlace(restoreFrom, permit);
  for (const one of permit.caches) {
    const same =
      (await realOrSame(one.dataDirectory)) === directory &&
      (await realOrSame(one.config)) === configuration &&
      isDeepStrictEqual(one.start, control.start) &&
      isDeepStrictEqual(one.stop, control.stop);
    if (!same) continue;
    const files = await Promise.all(one.restoreFrom.map(realOrSame));
    if (file === undefined || files.includes(file)) return { permit, directory, control };
  }
  const line = {
    dataDirectory: directory,
    config: configuration,
    ...control,
    ...(file === undefined ? {} : { restoreFrom: [file] }),
  };
  // JSON is YAML.
  throw failure(
    'NotPermitted',
    `the Redis server in ${dataDirectory} may not be stopped, started${file === undefined ? '' : `, and restored from ${restoreFrom}`} by ${permit.file}. If it is meant, an administrator of this host adds the line "- ${JSON.stringify(line)}" under "caches:" there.`,
  );
}
