/**
 * Whether a live server of this host may be stopped, started, promoted and replaced. To back a server up is permitted by far more
 * administrators than to stop it: it has a list of its own, which is empty unless somebody writes it.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Member } from '../plan/schema.ts';
import type { ServerControl } from '../plan/server-control.ts';
import { failure } from './failure.ts';
import { loadPermit, type Permit, permitDataDirectory, realOrSame, realPlace } from './permit.ts';

export interface Controlled {
  permit: Permit;
  control: ServerControl;
}

/**
 * @throws PlanInvalid the plan does not say how @throws NotPermitted names what an administrator would add
 */
export async function permitServerControl(member: Member): Promise<Controlled> {
  const permit = await loadPermit();
  await permitDataDirectory(permit, member.dataDirectory);
  const { control, host } = member;
  if (control === undefined)
    throw failure(
      'PlanInvalid',
      `the plan does not say how the server on ${host} is stopped and started. Add to its member: control: { kind: pg_ctl }, or kind: command with start and stop where a service manager owns it.`,
    );
  const real = await realPlace(member.dataDirectory, permit);
  for (const entry of permit.serverControl)
    if ((await realOrSame(entry.dataDirectory)) === real && permits(entry, control)) return { permit, control };
  throw failure(
    'NotPermitted',
    `the server in ${member.dataDirectory} may not be stopped and started by ${permit.file}. If it is meant, an administrator of this host adds the line "- ${lineFor(real, control)}" under "serverControl:" there.`,
  );
}

/** The very words of the plan, not only the program: `systemctl` alone would permit every service of the host. */
function permits({ start, stop }: Permit['serverControl'][number], control: ServerControl): boolean {
  if (control.kind === 'pg_ctl') return true;
  return isDeepStrictEqual(start, control.start) && isDeepStrictEqual(stop, control.stop);
}

function lineFor(dataDirectory: string, control: ServerControl): string {
  const commands = control.kind === 'command' ? { start: control.start, stop: control.stop } : {};
  // JSON is YAML.
  return JSON.stringify({ dataDirectory, ...commands });
}
