/** Where a switchover, or a failover, was when it was ended, by what it had noted until then. Pure. */
import type { Standing, Stands } from './left-standing.ts';

/** What the judgement needs of a run's record. */
export interface Noted {
  steps: { id: string; kind: string; state: string }[];
  approvals?: { subject: Record<string, string | number> }[];
}

interface Place {
  host: string;
  dataDirectory: string;
  start: string;
}

type Far = 'no' | 'perhaps' | 'yes';

const fence = 'fence-the-old-primary';
const phases = ['traffic', 'database', 'validation'];

/**
 * How everything stood then; `undefined` where it had touched nothing, or was taking things back.
 *
 * @param places of the members, as the plan says
 */
export function leftBySwitchover(noted: Noted, places: Place[], traffic: Standing['traffic']): Standing | undefined {
  const { from, to } = noted.approvals?.findLast(({ subject }) => 'from' in subject && 'to' in subject)?.subject ?? {};
  const far = (step: string): Far => {
    const found = noted.steps.find(({ id }) => phases.some((phase) => id === `${phase}/${step}`));
    if (found === undefined) return 'no';
    return found.state === 'done' ? 'yes' : 'perhaps';
  };
  if (far('close-the-front-door') === 'no' || noted.steps.some(({ kind }) => kind === 'undo')) return undefined;
  const roles: Record<string, Partial<Stands>> = {
    [String(from)]: {
      role: roleOfOld(far),
      standbyOnly: far('let-the-old-primary-start-as-a-standby-only') !== 'no' || far(fence) !== 'no',
    },
    [String(to)]: { role: roleBy(far('promote-the-standby'), 'standby', 'primary') },
  };
  return {
    members: places.map((place) => ({ ...place, role: 'standby', ...roles[place.host] })),
    leadsTo: doorBy(far('open-the-front-door-to-the-new-primary'), String(to)),
    traffic,
  };
}

function roleOfOld(far: (step: string) => Far): Stands['role'] {
  const started = far('start-the-old-primary-as-a-standby');
  if (started !== 'no') return roleBy(started, 'stopped', 'standby');
  // A primary that is lost may be anything until it is fenced, and come back as a standby in several ways afterwards.
  if (far('fail-over') !== 'no')
    return far('start-the-standby') === 'no' && far(fence) === 'yes' ? 'stopped' : 'unknown';
  return roleBy(far('stop-the-primary'), 'primary', 'stopped');
}

function roleBy(far: Far, before: Stands['role'], after: Stands['role']): Stands['role'] {
  return { no: before, perhaps: 'unknown' as const, yes: after }[far];
}

function doorBy(opened: Far, to: string): string[] | undefined {
  return { no: [], perhaps: undefined, yes: [to] }[opened];
}
