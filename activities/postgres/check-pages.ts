import { join } from 'node:path';
import { belongingTo, runLong } from '../child.ts';
import { failure } from '../failure.ts';
import type { Found, Scratch } from '../shapes.ts';
import { lastLines, readFrom, sizeOf } from '../tail.ts';
import { controlData } from './control-data.ts';
import { readStart } from './paused.ts';
import { permittedPlaces } from './scratch.ts';
import { stopServer } from './server.ts';
import { standing } from './standing.ts';

/** A last checkpoint writes all that is still in memory. */
const stopWithinMs = 600_000;

/**
 * Stops the server cleanly and reads every page of every file, its checksum compared.
 *
 * @throws DataCorrupt names the file @throws ReplayFailed the server does not stop cleanly
 * @see PostgreSQL documentation, "pg_checksums"
 */
export async function checkPages(ask: { scratch: Scratch }): Promise<Found> {
  const { places, permit } = await permittedPlaces(ask.scratch);
  // One that was killed has not written all that it held: it is started for its recovery, and then stopped in order.
  if (!(await controlData(permit, places.data)).state.startsWith('shut down')) await standing(places, permit);
  await stopServer(places, 'fast', stopWithinMs);
  const { state, checksumVersion } = await controlData(permit, places.data);
  if (checksumVersion === 0)
    return { found: 'not checked: the cluster was made without page checksums (pg_checksums --enable adds them)' };
  if (!state.startsWith('shut down'))
    throw failure(
      'ReplayFailed',
      `the server in ${places.data} did not stop cleanly: pg_control says "${state}". See ${places.serverLog}.`,
    );
  const log = join(places.log, 'checksums.log');
  const start = await sizeOf(log);
  const { code } = await runLong({
    file: join(permit.postgresql, 'pg_checksums'),
    words: ['--check', '-D', places.data],
    env: belongingTo(places.directory),
    log,
    throwAway: (await readStart(places))?.throwAway ?? false,
    details: (lines) => ({ line: lines.at(-1) ?? '' }),
  });
  const said = await readFrom(log, start);
  if (code === 0)
    return {
      found: `${/Blocks scanned:\s+(\d+)/.exec(said)?.[1] ?? 'all'} pages in ${/Files scanned:\s+(\d+)/.exec(said)?.[1] ?? 'all'} files, every checksum right`,
      expected: 'no page with a wrong checksum',
      log: { host: ask.scratch.host, path: log, lastLines: await lastLines(log, 4) },
    };
  const bad = [...said.matchAll(/checksum verification failed in file "([^"]+)", block (\d+)/g)];
  const named = bad.map(([, file = '', block]) => `${file.replace(`${places.data}/`, '')} block ${block}`);
  throw failure(
    'DataCorrupt',
    named.length === 0
      ? `pg_checksums ended with code ${code}: ${said.trim().slice(-400)}`
      : `${named.length} pages have a wrong checksum: ${named.slice(0, 5).join(', ')}. Check the live database too (pg_amcheck), and the disks of both hosts.`,
  );
}
