/** The planned move of the primary to another site, and of the name after it. */
import type { EntryRecord } from '../../../activities/contract.ts';
import type { Run } from '../../runbook/run.ts';
import { refuseOnPatroni } from '../patroni/cluster.ts';
import { assessPair } from '../switchover/assess.ts';
import { changePlaces } from '../switchover/change-places.ts';
import type { Moved, Pair } from '../switchover/pair.ts';
import { prepare } from '../switchover/prepare.ts';
import { leadTheName, lowerTtl, nameIsKnown, usualTtl } from './name.ts';
import { between, memberElsewhere, type Sites, sitesOf } from './sites.ts';
import { ownStoreKeepsUp } from './store.ts';

export interface Move {
  pair: Pair;
  sites: Sites;
  /** What the name says now. */
  record: EntryRecord | undefined;
}

/** @param wanted the site that takes over; absent: the only other one */
export async function assessMove(run: Run, wanted: string | undefined): Promise<Move> {
  await refuseOnPatroni(run, between);
  const pair = await assessPair(run, (primary) => memberElsewhere(run.plan, primary, wanted).host);
  const sites = sitesOf(run.plan, pair);
  const record = await nameIsKnown(run, sites, true);
  await ownStoreKeepsUp(run, pair);
  return { pair, sites, record };
}

export async function moveToSite(run: Run, { pair, sites, record }: Move): Promise<Moved> {
  await prepare(run, pair);
  await lowerTtl(run, record);
  const moved = await changePlaces(run, pair);
  const { systemIdentifier } = pair;
  await leadTheName(run, sites, { member: pair.to, timeline: moved.timeline, systemIdentifier });
  await usualTtl(run);
  return moved;
}
