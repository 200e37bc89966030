/** What people are shown before a service moves to another site. */
import type { Subject } from '../../../evidence/people.ts';
import { durationText } from '../../../plan/duration.ts';
import type { Run } from '../../runbook/run.ts';
import type { Lost } from '../failover/lost.ts';
import { factsToApprove as factsOfPair } from '../switchover/facts.ts';
import type { Move } from './move.ts';
import type { Sites } from './sites.ts';

interface Facts {
  subject: Subject;
  shown: Subject;
}

/** A yes is bound to the sites, too. */
export async function factsToApprove(run: Run, { pair, sites }: Move): Promise<Facts> {
  return betweenSites(run, sites, await factsOfPair(run, pair));
}

/** Of a site that is lost: nothing of it comes back by itself. */
export function whatIsGivenUp(run: Run, { from, to }: Pick<Lost, 'from' | 'to'>, sites: Sites, facts: Facts): Facts {
  const { subject, shown } = betweenSites(run, sites, facts);
  return {
    subject,
    shown: {
      ...shown,
      'what happens next': `the front doors are closed, ${from.host} fenced, ${to.host} promoted, the door of ${sites.to} opened and the name led to it; ${sites.from} is left fenced, until a region failback`,
    },
  };
}

function betweenSites(run: Run, { from, to }: Sites, { subject, shown }: Facts): Facts {
  const { entry } = run.plan;
  return {
    subject: {
      'from site': from,
      'to site': to,
      ...(entry === undefined ? {} : { name: `${entry.name} from ${entry.sites[from]} to ${entry.sites[to]}` }),
      ...subject,
    },
    shown: {
      ...shown,
      'clients follow': clientsFollow(run),
    },
  };
}

function clientsFollow({ plan: { entry } }: Run): string {
  if (entry === undefined) return 'by nobody of whom the plan tells: it has no entry';
  return `by ${entry.name}, within ${durationText(entry.movingTtl ?? entry.ttl)}, if their resolvers keep to it`;
}
