/**
 * Whether a unit of systemd may be started and stopped here, by which words, and what it may be asked. To touch one service of a host is
 * permitted by its own line: `systemctl` alone would permit all of them.
 */
import type { SystemdUnit } from '../plan/components/systemd.ts';
import { failure } from './failure.ts';
import { loadPermit, type Permit, realPlace, refuseLinks } from './permit.ts';

export interface PermittedUnit {
  /** By which words systemctl is run where something is changed. */
  systemctl: string[];
  /** While this file is there the unit's own condition keeps everybody from starting it; absent: it cannot be quiesced. */
  quiesced?: string;
  permit: Permit;
}

/** @throws NotPermitted names what an administrator would add */
export async function permitUnit({ unit, host, healthy }: SystemdUnit): Promise<PermittedUnit> {
  const permit = await loadPermit();
  const listed = permit.units.find((one) => one.unit === unit);
  if (listed === undefined)
    throw failure(
      'NotPermitted',
      `${unit} may not be touched by ${permit.file}. If it is meant, an administrator of ${host} adds the line "- ${lineFor(unit, healthy?.url)}" under "units:" there.`,
    );
  if (healthy !== undefined && !listed.health.includes(healthy.url))
    throw failure(
      'NotPermitted',
      `${healthy.url} may not be asked by ${permit.file}. If it is where ${unit} says how it is, an administrator of ${host} adds it to "health:" in the line of ${unit} there.`,
    );
  const { systemctl, quiesced } = listed;
  if (quiesced === undefined) return { systemctl, permit };
  await realPlace(quiesced, permit);
  await refuseLinks([quiesced]);
  return { systemctl, quiesced, permit };
}

function lineFor(unit: string, url: string | undefined): string {
  const systemctl = ['/usr/bin/sudo', '-n', '/usr/bin/systemctl'];
  // JSON is YAML.
  return JSON.stringify({ unit, systemctl, ...(url === undefined ? {} : { health: [url] }) });
}
