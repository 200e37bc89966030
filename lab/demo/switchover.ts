/** The demo's second act: primary and standby change places under load, once people have agreed. */
import type { Evidence } from '../../evidence/evidence.ts';
import { formatDuration } from '../../evidence/format.ts';
import type { Estate } from '../estate.ts';
import { serverStates } from '../front-door.ts';
import { peopleFiles } from '../people.ts';
import { withServer } from '../postgres.ts';
import type { LabPerson } from '../slack/cast.ts';
import { type LiveDemo, liveRun, requester, second } from './people-asked.ts';

export async function switchoverOn(demo: LiveDemo): Promise<Evidence> {
  const evidence = await liveRun(demo, 'switchover');
  await say(demo, evidence);
  return evidence;
}

/** What somebody may type while the estate stays up. */
export function switchoverHints({ root }: Estate): string[] {
  const as = (person: LabPerson) => `--as ${person} --key ${peopleFiles(root).key(person)}`;
  return [
    `start switchover orders --mode live ${as(requester)}    # and back again; asks the others`,
    `approve RUN ${as(second)}    # in another terminal: RUN is what "status" says that waits`,
  ];
}

/** What the servers and the load balancer say, not the run. */
async function say({ estate, board }: LiveDemo, evidence: Evidence): Promise<void> {
  const { site } = estate;
  const roles = await Promise.all(
    site.hosts.map(async (host) => {
      const role = await withServer(site, host, 'postgres', async (client) => {
        const { rows } = await client.query<{ role: string }>(
          "select case when pg_is_in_recovery() then 'standby' else 'primary' end as role",
        );
        return rows[0]?.role;
      }).catch(() => 'not running');
      return `${host} ${role}`;
    }),
  );
  const states = await serverStates(site.layout.door('east').socket);
  const led = states.filter(({ status }) => status.startsWith('UP')).map(({ name }) => name);
  const measured = (name: string) => evidence.measurements.find((one) => one.name === name)?.value;
  const gap = measured('writes stopped');
  const closed = measured('front door closed');
  board.say('');
  board.say(`  Now      ${roles.join(', ')}; the front door leads to ${led.join(' and ') || 'nobody'}`);
  if (gap !== undefined)
    board.say(
      `  Writes   stopped for ${formatDuration(gap)} by the pulse (one try a second)${closed === undefined ? '' : `; the door was closed for ${formatDuration(closed)}`}`,
    );
}
