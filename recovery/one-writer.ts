/** Whether a service has one writer and one history, by what each member says of itself. Pure. */
import type { Lsn } from './archive.ts';

export interface MemberSays {
  host: string;
  /** `unknown`: it may be a primary that only we cannot reach. */
  role: 'primary' | 'standby' | 'unknown';
  timeline?: number;
  lsn?: Lsn;
  /** SHA-256 of the history file of that timeline; absent on timeline 1, and where the member does not have it. */
  history?: string;
  /** Why it is unknown. */
  why?: string;
}

export type Verdict = 'well' | 'unclear' | 'split';

/** What is wrong, one sentence each, with what people do about it; empty where one primary writes and all others are on its line. */
export interface Judgement {
  verdict: Verdict;
  facts: string[];
}

export function judgeWriters(members: readonly MemberSays[]): Judgement {
  const split = [...twoPrimaries(members), ...twoHistories(members)];
  if (split.length > 0) return { verdict: 'split', facts: split };
  const unclear = [...nobodyKnown(members), ...noPrimary(members), ...otherLines(members)];
  return { verdict: unclear.length === 0 ? 'well' : 'unclear', facts: unclear };
}

const named = (members: readonly MemberSays[]) => members.map(({ host }) => host).join(' and ');
const of = (members: readonly MemberSays[], role: MemberSays['role']) => members.filter((one) => one.role === role);

function twoPrimaries(members: readonly MemberSays[]): string[] {
  const primaries = of(members, 'primary');
  return primaries.length < 2
    ? []
    : [
        `${primaries.map(({ host, timeline }) => `${host} (timeline ${timeline ?? 'unknown'})`).join(' and ')} both say that they are the primary. Close the front door, stop one of them, and compare what each has written before anything else.`,
      ];
}

/** Equal numbers are no equal histories: after two forks of one past both servers take the next number. */
function twoHistories(members: readonly MemberSays[]): string[] {
  const timelines = new Set(members.flatMap(({ timeline }) => timeline ?? []));
  return [...timelines].flatMap((timeline) => {
    const here = members.filter((one) => one.timeline === timeline && one.history !== undefined);
    if (new Set(here.map(({ history }) => history)).size < 2) return [];
    return [
      `${named(here)} are on timeline ${timeline}, and their history files differ: they took the same number for different forks. Find out which one is right, and rebuild the other.`,
    ];
  });
}

function nobodyKnown(members: readonly MemberSays[]): string[] {
  return of(members, 'unknown').map(
    ({ host, why }) => `${host} cannot be asked, and may be a primary${why === undefined ? '' : `: ${why}`}`,
  );
}

function noPrimary(members: readonly MemberSays[]): string[] {
  return of(members, 'primary').length > 0 ? [] : ['No member says that it is the primary.'];
}

function otherLines(members: readonly MemberSays[]): string[] {
  const [primary] = of(members, 'primary');
  if (primary?.timeline === undefined) return [];
  return of(members, 'standby')
    .filter(({ timeline }) => timeline !== primary.timeline)
    .map(
      ({ host, timeline }) =>
        `${host} is on timeline ${timeline ?? 'unknown'}, and ${primary.host} on ${primary.timeline}: it follows another branch, or has not seen the newest yet.`,
    );
}
