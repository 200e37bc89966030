/** The demo's fourth act: a whole region is lost under load; the other one takes over once people have said yes; then the way back. */
import type { Evidence } from '../../evidence/evidence.ts';
import { formatCount, formatDuration } from '../../evidence/format.ts';
import { loseRegion, regainRegion } from '../catastrophe.ts';
import type { Estate } from '../estate.ts';
import { roles, served } from '../pair.ts';
import { peopleFiles } from '../people.ts';
import { database, withServer } from '../postgres.ts';
import type { LabPerson } from '../slack/cast.ts';
import { type LiveDemo, liveRun, requester, second } from './people-asked.ts';

/** @returns the evidence of the failover, unless the way back did not come to its good end */
export async function regionOn(demo: LiveDemo): Promise<Evidence> {
  const { board, estate } = demo;
  await board.line('lost', 'the east: server, workers, load balancer, store and every way to it', async () => {
    await loseRegion(estate, 'east');
    return 'nobody can write; what the west had not received by then is lost';
  });
  const over = await liveRun(demo, 'region-failover');
  await say(demo, over);
  if (over.outcome !== 'completed') return over;
  await board.line('regained', 'the east has its power back; its server is started by nobody', async () => {
    await regainRegion(estate, 'east');
    return `${formatCount(await orders(estate))} orders in the west by now`;
  });
  const back = await liveRun(demo, 'region-failback');
  await say(demo, back);
  return back.outcome === 'completed' ? over : back;
}

async function orders({ site }: Estate): Promise<number> {
  return withServer(site, 'db2', database, async (client) => {
    const { rows } = await client.query<{ count: string }>('select count(*) from orders');
    return Number(rows[0]?.count);
  });
}

/** What the servers and the load balancers say, not the run; and what the run has measured. */
async function say({ estate, board }: LiveDemo, { measurements, rpo }: Evidence): Promise<void> {
  const each = Object.entries(await roles(estate)).map(([host, role]) => `${host} ${role}`);
  const measured = (name: string) => measurements.find((one) => one.name === name)?.value;
  const [gap, lost] = [measured('writes stopped'), measured('acknowledged pulses lost')];
  board.say('');
  board.say(
    `  Now      ${each.join(', ')}; the front doors lead to ${(await served(estate)).join(' and ') || 'nobody'}`,
  );
  if (gap !== undefined) board.say(`  Writes   stopped for ${formatDuration(gap)} by the pulse (one try a second)`);
  if (lost !== undefined)
    board.say(
      `  Lost     ${formatCount(lost)} acknowledged pulses${rpo?.valueMs === undefined ? '' : `, ${formatDuration(rpo.valueMs)} of writes`}`,
    );
  board.say('');
}

/** What somebody may type while the estate stays up. */
export function regionHints({ root }: Estate): string[] {
  const as = (person: LabPerson) => `--as ${person} --key ${peopleFiles(root).key(person)}`;
  return [
    `start region-switchover orders --mode live ${as(requester)}    # to the other site, in order; asks the others`,
    `approve RUN ${as(second)}    # in another terminal: RUN is what "status" says that waits`,
  ];
}
