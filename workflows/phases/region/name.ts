/** The name by which clients know the service: it leads to the site that serves. */
import { sleep } from '@temporalio/workflow';
import type { EntryRecord } from '../../../activities/contract.ts';
import type { Found } from '../../../activities/shapes.ts';
import { durationText } from '../../../plan/duration.ts';
import type { Entry } from '../../../plan/entry.ts';
import type { Member } from '../../../plan/schema.ts';
import type { Change } from '../../runbook/change.ts';
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import type { Sites } from './sites.ts';

/** Resolvers may round up, and ask again a moment later. Milliseconds. */
const slackMs = 30_000;

const without =
  'the plan has no entry, the name by which clients know the service: whoever leads them to a site has to lead them to the other one';

/**
 * @returns the record as it stands; undefined where the plan has no entry
 * @throws Moved it leads to neither site, or to another one than that of the primary in a planned move
 */
export async function nameIsKnown(run: Run, { from, to }: Sites, planned: boolean): Promise<EntryRecord | undefined> {
  const { entry } = run.plan;
  const { record } = await run.check<Found & { record?: EntryRecord }>(
    'The name leads to the site of the primary',
    async () => {
      if (entry === undefined) return { found: without, expected: 'a name that can be led to the other site' };
      const state = await run.control.entryState({ entry });
      for (const site of [from, to])
        if (entry.sites[site] === undefined)
          throw failure(
            'PlanInvalid',
            `entry.sites does not say what ${entry.name} is to say while ${site} serves. Add it.`,
          );
      if (state.unfit !== undefined) throw failure('EntryUnfit', state.unfit);
      if (state.site === from || (!planned && state.site === to))
        return { ...state, expected: `${entry.name} leads to ${from}` };
      throw failure(
        'Moved',
        `${entry.name} ${state.site === undefined ? 'leads to none of the sites' : `leads to ${state.site}`} (${state.found}), expected ${from}. Correct it, or the plan, first: who is led where must be certain.`,
      );
    },
  );
  if (entry !== undefined)
    await run.check('The name may be led to another site', () => run.control.entryMovable({ entry }));
  return record;
}

/** Before a planned move, while nothing has stopped yet: who has asked just before would go on to the old site for the usual TTL. */
export async function lowerTtl(run: Run, record: EntryRecord | undefined): Promise<void> {
  const { entry } = run.plan;
  if (record === undefined || entry?.movingTtl === undefined) return;
  const { movingTtl } = entry;
  const ttl = record.ttlSeconds * 1_000;
  if (movingTtl >= ttl) return;
  const { until } = await run.change('Lower the TTL of the name', {
    preview: async () => ({
      will: `let resolvers remember ${entry.name} for ${durationText(movingTtl)} instead of ${durationText(ttl)}`,
      yields: { until: new Date(Date.now() + ttl).toISOString() },
    }),
    apply: () => run.control.setEntryTtl({ entry, record, ttlSeconds: movingTtl / 1_000 }),
    undo: () => run.control.restoreEntryTtl({ entry, ttlSeconds: record.ttlSeconds }),
  });
  await run.prove('No resolver remembers the name with its old TTL', async () => {
    await sleep(Math.max(0, Date.parse(until) - Date.now()));
    return { found: `the old TTL of ${durationText(ttl)} was waited out, until ${until}` };
  });
}

/** @param serves the member that clients are led to, which takes writes already */
export async function leadTheName(
  run: Run,
  { from, to }: Sites,
  serves: { member: Member; timeline: number; systemIdentifier: string },
): Promise<void> {
  const { entry, database } = run.plan;
  if (entry !== undefined) {
    await run.change('Lead the name to the other site', led(run, entry, { from, to }));
    await run.prove(
      'Resolvers answer with the other site',
      () => run.control.entrySeen({ entry, site: to, withinMs: entry.ttl + slackMs }),
      // One of them may be lost with a site.
      { yields: undefined },
    );
  }
  const look = async () => {
    const { timeline, systemIdentifier, found } = await run.control.serviceMoment({ frontDoor: database.frontDoor });
    if (timeline !== serves.timeline || systemIdentifier !== serves.systemIdentifier)
      throw failure(
        'DoorOpen',
        `${database.frontDoor.host} leads to a server on timeline ${timeline} (cluster ${systemIdentifier}), expected ${serves.member.host} on timeline ${serves.timeline}.`,
      );
    return { found, expected: `${serves.member.host}, on timeline ${serves.timeline}` };
  };
  await run.prove('Clients reach the new primary by the name', look, { yields: undefined });
}

function led(run: Run, entry: Entry, { from, to }: Sites): Change<Found> {
  return {
    preview: async () => ({
      will: `lead ${entry.name} from ${entry.sites[from]} (${from}) to ${entry.sites[to]} (${to}); whoever remembers the old answer follows within ${durationText(entry.ttl)}`,
      yields: { found: `${entry.name} would lead to ${to}` },
    }),
    apply: () => run.control.moveEntry({ entry, from, to }),
    undo: {
      pointOfNoReturn: `${entry.name} stays with ${to}, whose member is the only primary.`,
    },
  };
}

export async function usualTtl(run: Run): Promise<void> {
  const { entry } = run.plan;
  if (entry?.movingTtl === undefined || entry.movingTtl >= entry.ttl) return;
  const { ttl } = entry;
  await run.change('Give the name its usual TTL back', {
    preview: async () => ({
      will: `let resolvers remember ${entry.name} for ${durationText(ttl)} again`,
      yields: undefined,
    }),
    apply: () => run.control.restoreEntryTtl({ entry, ttlSeconds: ttl / 1_000 }),
    undo: { pointOfNoReturn: 'The usual TTL is the one that the plan names.' },
    skip: { yields: undefined },
  });
}
