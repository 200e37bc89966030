/** Which archive a standby asks for what it lacks. */
import { backupKind } from '../backups/kind.ts';
import type { SwitchoverHostChanges } from '../contract.ts';
import { pause } from '../heartbeat.ts';
import { permitServerControl } from '../permit-control.ts';
import { socketOf } from '../postgres/live-member.ts';
import { findLive } from '../postgres/live-server.ts';
import { one, withSession } from '../postgres/session.ts';
import type { Found } from '../shapes.ts';
import { refusePrimary, standingOf } from './asked.ts';
import { startStandby, stopStandby } from './stop-standby.ts';

// A fetch from a store that answers is over in much less. Milliseconds.
const heldUpAfterMs = 1_500;
const lookEveryMs = 100;

/**
 * A fetch that is under way goes on to ask the store that it was told, for minutes where that one is away, and holds up the replay and a
 * promotion: the standby is started anew then.
 *
 * Safe to repeat. @throws SplitBrain it runs as a primary @throws NotPermitted @throws ServerControlFailed
 */
export async function askArchive(ask: Parameters<SwitchoverHostChanges['askArchive']>[0]): Promise<Found> {
  const { member, backups, withinMs } = ask;
  const { permit } = await permitServerControl(member);
  // The server itself runs what is written into its restore_command.
  await backupKind(backups).permitted(permit, backups);
  const expected = `a standby that asks the archive of ${backups.config}`;
  // An attempt that was ended has stopped it.
  if ((await findLive(member.dataDirectory)) === undefined) await startStandby({ member, withinMs });
  refusePrimary(member.host, await standingOf(member), 'and was to be told which archive to ask as a standby');
  const wanted = backupKind(backups).restoreCommand(backups, member.dataDirectory);
  const { place } = await socketOf(member);
  const held = await withSession(place, 'postgres', 'ask-archive', async (client) => {
    const { now } = await one(client, "select current_setting('restore_command') as now");
    if (now !== wanted) {
      await client.query(`alter system set restore_command = ${client.escapeLiteral(wanted)}`);
      await client.query('select pg_reload_conf()');
    }
    const deadline = performance.now() + heldUpAfterMs;
    for (;;) {
      const { fetches } = await one(client, fetching);
      if (fetches !== 'true') return false;
      if (performance.now() > deadline) return true;
      await pause(lookEveryMs);
    }
  });
  if (!held) return { found: `it asks the archive of ${backups.config}, and is held up by no other`, expected };
  await stopStandby({ member, withinMs });
  const started = await startStandby({ member, withinMs });
  return {
    found: `it was held up by an archive that does not answer, and was started anew to ask that of ${backups.config}; ${started.found}`,
    expected,
  };
}

const fetching = `select exists (select from pg_stat_activity where backend_type = 'startup' and wait_event = 'RestoreCommand')::text as fetches`;
