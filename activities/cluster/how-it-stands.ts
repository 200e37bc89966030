import type { Member } from '../../plan/schema.ts';
import { loadPermit, permitDataDirectory } from '../permit.ts';
import { findLive } from '../postgres/live-server.ts';
import { exists } from '../postgres/scratch.ts';
import type { Found } from '../shapes.ts';
import { standingOf } from './asked.ts';
import { signalOf } from './standby-only.ts';

/** How a live server is found after a run that was ended in its middle: whether it runs, as what, and how it would start. Reads only. */
export async function howItStands({
  member,
}: {
  member: Member;
}): Promise<Found & { role: 'primary' | 'standby' | 'stopped' | 'unknown'; standbyOnly: boolean; start: string }> {
  const permit = await loadPermit();
  await permitDataDirectory(permit, member.dataDirectory);
  const role = await roleOf(member);
  const standbyOnly = await exists(signalOf(member));
  const { control, dataDirectory, host } = member;
  const start =
    control?.kind === 'command'
      ? control.start.join(' ')
      : `${permit.postgresql}/pg_ctl -D ${dataDirectory} -l ${dataDirectory}/pg_ctl.log -w start`;
  return { role, standbyOnly, start, found: `${host} ${role}${standbyOnly ? ', with standby.signal' : ''}` };
}

async function roleOf(member: Member): Promise<'primary' | 'standby' | 'stopped' | 'unknown'> {
  if ((await findLive(member.dataDirectory)) === undefined) return 'stopped';
  return standingOf(member).then(
    ({ standby }) => (standby ? 'standby' : 'primary'),
    () => 'unknown',
  );
}
