/**
 * What a host worker knows of a service's backup repository: the recovery window, its lag, the newest backups. Read at a gentle
 * pace, by one host alone, and never because somebody scrapes.
 */
import { ApplicationFailure } from '@temporalio/common';
import type { Logger } from 'pino';
import { type CommitSearch, searchBack } from '../../activities/backups/commits.ts';
import { backupKind } from '../../activities/backups/kind.ts';
import { loadPermit, type Permit } from '../../activities/permit.ts';
import { socketOf } from '../../activities/postgres/live-member.ts';
import { close, connect, one } from '../../activities/postgres/session.ts';
import { inTemporary, removeAbandoned } from '../../activities/temporary.ts';
import type { Member, Plan } from '../../plan/schema.ts';
import type { Repository } from '../../recovery/archive.ts';
import { recoveryWindow } from '../../recovery/window.ts';
import type { Metrics } from './metrics.ts';
import { lookOften } from './pace.ts';
import { type KnownRepository, samplesOf } from './repository-samples.ts';

const everyMs = 15_000;

/**
 * The one member whose host worker looks at a service's repository: each look costs the store a listing. The drill host where
 * it has a server of the service, because it serves no traffic.
 */
export function watcherOf({ database: { members }, drills }: Plan): Member | undefined {
  return members.find(({ host }) => host === drills.monthly.host) ?? members[0];
}

/** Looks until `signal` at the repositories of all plans that this host looks after. */
export async function watchRepositories(
  plans: readonly Plan[],
  host: string,
  { metrics, signal, logger }: { metrics: Metrics; signal: AbortSignal; logger: Logger },
): Promise<void> {
  await removeAbandoned(searching);
  const watches = plans.flatMap((plan) => {
    const member = watcherOf(plan);
    return member?.host === host ? [new RepositoryWatch(plan, member)] : [];
  });
  for (const watch of watches) metrics.show(() => samplesOf(watch.known, performance.now()));
  await Promise.all(watches.map((watch) => lookOften(() => watch.look(), { everyMs, signal, logger })));
}

/** What the server of this host says: the repository alone knows neither the size of a segment nor the service's clock. */
interface Server {
  segmentBytes: number;
  timeline: number;
  /** Milliseconds since 1970, on the database's clock. */
  clock: number;
  /** `performance.now()` at that moment. */
  readAt: number;
}

class RepositoryWatch {
  readonly #plan: Plan;
  readonly #member: Member;
  #server: Server | undefined;
  #commit: { segment: string; at: string | undefined } | undefined;
  known: KnownRepository;

  constructor(plan: Plan, member: Member) {
    this.#plan = plan;
    this.#member = member;
    this.known = { service: plan.service };
  }

  async look(): Promise<void> {
    try {
      const { physical } = this.#plan.backups;
      const { permit, server } = await this.#askServer();
      await backupKind(physical).permitted(permit, physical);
      const repository = await backupKind(physical).repository(physical, server.segmentBytes, {
        tablespaces: false,
      });
      const window = recoveryWindow(repository, [], server.timeline);
      this.known = {
        service: this.#plan.service,
        up: true,
        read: {
          at: new Date(),
          ...(window.from && { from: window.from.at }),
          to: await this.#newest(repository, window, permit),
          gaps: window.gaps.length,
          backups: window.reaches.filter(({ to }) => to !== undefined).map(({ backup }) => backup),
          clock: { ms: server.clock, at: server.readAt },
        },
      };
    } catch (error) {
      this.known = { ...this.known, up: false };
      throw error;
    }
  }

  /** A server that is down for a moment changes neither its segments nor, much, its clock. */
  async #askServer(): Promise<{ permit: Permit; server: Server }> {
    try {
      const { place } = await socketOf(this.#member);
      const client = await connect(place, 'postgres', 'metrics');
      try {
        const row = await one(client, question);
        this.#server = {
          segmentBytes: Number(row.segment_bytes),
          timeline: Number(row.timeline),
          clock: Number(row.clock),
          readAt: performance.now(),
        };
      } finally {
        close(client);
      }
    } catch (error) {
      if (this.#server === undefined) throw error;
    }
    return { permit: await loadPermit(), server: this.#server };
  }

  /** Time of the newest commit that can be reached. A segment is fetched once: what is archived never changes. */
  async #newest(
    repository: Repository,
    { to, reaches }: ReturnType<typeof recoveryWindow>,
    permit: Permit,
  ): Promise<string | undefined> {
    const last = reaches.findLast((reach) => reach.to !== undefined)?.backup;
    if (to === undefined || last === undefined) return undefined;
    if (this.#commit?.segment !== to.segment) {
      const { physical } = this.#plan.backups;
      const before = this.#commit;
      // What was searched before need not be searched again: one large transaction may fill thousands of segments.
      const searched =
        before !== undefined && before.segment > last.stopWal && sameTimeline(before.segment, to.segment);
      this.#commit = undefined;
      const found = await this.#search(
        {
          fetch: (segment, to) => backupKind(physical).fetchWal(physical, segment, to),
          lastSegment: to.segment,
          firstSegment: searched ? before.segment : last.stopWal,
          segmentBytes: repository.segmentBytes,
        },
        permit,
      );
      this.#commit = { segment: to.segment, at: found ?? (searched ? before.at : undefined) };
    }
    // Nothing was committed since the backup: its end is the newest moment there is.
    return this.#commit.at ?? last.stoppedAt;
  }

  async #search(search: CommitSearch, permit: Permit): Promise<string | undefined> {
    try {
      return await inTemporary(
        searching,
        async (folder) => (await searchBack(search, folder, permit, { segment: search.lastSegment })).at,
      );
    } catch (error) {
      if (error instanceof ApplicationFailure && error.type === 'TargetOutsideWindow') return undefined;
      throw error;
    }
  }
}

/** Names of segments begin with eight digits of their timeline. */
function sameTimeline(one: string, other: string): boolean {
  return one.slice(0, 8) === other.slice(0, 8);
}

const question = `select extract(epoch from clock_timestamp()) * 1000 as clock,
  pg_size_bytes(current_setting('wal_segment_size')) as segment_bytes,
  (select timeline_id from pg_control_checkpoint()) as timeline`;

const searching = 'newest-commit';
