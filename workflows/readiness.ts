import type { ControlReads, HostReads, ServerFacts } from '../activities/contract.ts';
import type { Found } from '../activities/shapes.ts';
import { formatBytes } from '../evidence/format.ts';
import { durationText } from '../plan/duration.ts';
import { addresses, entrySecretNames, member, secretNames } from '../plan/hosts.ts';
import type { Member, Plan } from '../plan/schema.ts';
import { backupsOn, doorOf, shareDoor, siteOf } from '../plan/sites.ts';
import { lagBytes, objectionsToPromotion } from '../recovery/switchover.ts';
import { answering } from './answering.ts';
import { controlQueue, hostQueue, type RunInput } from './messages.ts';
import type { Files } from './phases/components/restic.ts';
import { leadsToNobody } from './phases/members.ts';
import { memberElsewhere, type Sites, sitesOf } from './phases/region/sites.ts';
import { failure, failureOf } from './runbook/failure.ts';
import { activities, type Stubs } from './runbook/step.ts';

/** One thing that a move to the other site stands on. */
export interface ReadinessCheck {
  about: string;
  ready: boolean;
  words: string;
}

/** Whether the other site could take over now. */
export interface ReadinessResult {
  service: string;
  from: string;
  to: string;
  checks: ReadinessCheck[];
}

export interface ReadinessInput extends Pick<RunInput, 'service'> {
  /** The site that would take over; may be left out while there is only one other. */
  to?: string;
}

// Somebody sits before the screen: what does not answer now is said now.
const waits = { startToCloseMs: 120_000, heartbeatMs: 20_000, answerWithinMs: 20_000, attempts: 2 };
const outageWithinMs = 15_000;

/** Looks at everything at once, and changes nothing; not a runbook. One thing that is not ready hides no other. */
export async function readiness(input?: ReadinessInput): Promise<ReadinessResult> {
  return answering('readiness', 'Whether the other site could take over', async () => {
    const control = activities<ControlReads>({ taskQueue: controlQueue, ...waits });
    const { plan } = await control.loadPlan(input?.service === undefined ? {} : { service: input.service });
    const { members, found } = await control.members({ database: plan.database, addresses: addresses(plan) });
    const primary = members.find(({ role }) => role === 'primary');
    if (primary === undefined)
      throw failure(
        'NotPrimary',
        `no member says that it is the primary (${found}): what would be moved cannot be told. If its site is lost: lifeboat start region-failover ${plan.service}`,
      );
    const from = member(plan, primary.host);
    const to = memberElsewhere(plan, from.host, input?.to);
    const sites = sitesOf(plan, { from, to });
    const unknown = members.filter(({ role }) => role === 'unknown');
    const other = new OtherSite(plan, control, { from, to }, sites);
    const checks = await Promise.all([
      ready('every member answers', async () => {
        if (unknown.length > 0) throw failure('DatabaseUnreachable', found);
        return found;
      }),
      ...other.looks().map(([about, look]) => ready(about, look)),
    ]);
    return { service: plan.service, ...sites, checks };
  });
}

async function ready(about: string, look: () => Promise<string>): Promise<ReadinessCheck> {
  try {
    return { about, ready: true, words: await look() };
  } catch (error) {
    return { about, ready: false, words: failureOf(error).message };
  }
}

/** What the site that would take over is asked for. */
class OtherSite {
  readonly #plan: Plan;
  readonly #control: Stubs<ControlReads>;
  readonly #from: Member;
  readonly #to: Member;
  readonly #sites: Sites;

  constructor(plan: Plan, control: Stubs<ControlReads>, { from, to }: { from: Member; to: Member }, sites: Sites) {
    this.#plan = plan;
    this.#control = control;
    this.#from = from;
    this.#to = to;
    this.#sites = sites;
  }

  looks(): [about: string, look: () => Promise<string>][] {
    const { to } = this.#sites;
    return [
      [`${this.#to.host} could be promoted`, () => this.#promotable()],
      [`${this.#to.host} keeps up, by a slot`, () => this.#keepsUp()],
      [`the store of ${to}`, () => this.#store()],
      [`the front door of ${to}`, () => this.#door()],
      ['the name', () => this.#name()],
      ['the secrets', () => this.#secrets()],
      ['a fence for a lost site', async () => this.#fence()],
      ...this.#files(),
    ];
  }

  #host(name: string): Stubs<HostReads> {
    return activities<HostReads>({ taskQueue: hostQueue(name), ...waits });
  }

  #facts(of: Member): Promise<ServerFacts> {
    return this.#host(of.host).serverFacts({ member: of, backups: backupsOn(this.#plan, of.host) });
  }

  async #promotable(): Promise<string> {
    const facts = await this.#facts(this.#to);
    const against = objectionsToPromotion(facts);
    if (against.length > 0) throw failure('StandbyUnfit', against.join('; '));
    return `${facts.found}; ${facts.archiving.why}; ${formatBytes(facts.freeBytes)} free`;
  }

  async #keepsUp(): Promise<string> {
    const [primary, standby] = await Promise.all([this.#facts(this.#from), this.#facts(this.#to)]);
    const { state = 'no WAL receiver', slot } = standby.receiver ?? {};
    if (state !== 'streaming')
      throw failure('StandbyUnfit', `${this.#to.host} does not stream from its primary (${state}). See its log.`);
    if (slot === undefined || primary.slots.every(({ name, active }) => name !== slot || !active))
      throw failure(
        'StandbyUnfit',
        `${this.#to.host} streams ${slot === undefined ? 'without a slot' : `by slot ${slot}, which is not active on ${this.#from.host}`}: after a longer outage of the link the WAL that it needs may be gone. Give it one (primary_slot_name).`,
      );
    return `streams by slot ${slot}, ${formatBytes(lagBytes(primary, standby))} behind`;
  }

  async #store(): Promise<string> {
    const { timeline, segmentBytes } = await this.#facts(this.#to);
    const backups = backupsOn(this.#plan, this.#to.host);
    const { timelines, backups: kept } = await this.#host(this.#to.host).repository({
      ...{ backups, segmentBytes, outageWithinMs },
    });
    const ranges = timelines.find(({ id }) => id === timeline)?.ranges ?? [];
    const [first, ...later] = ranges;
    if (first === undefined)
      throw failure(
        'ArchiveGap',
        `${backups.config} leads to a store without any WAL of timeline ${timeline}. Set archive_mode = always on ${this.#to.host}, with an archive_command into it.`,
      );
    if (later.length > 0)
      throw failure(
        'ArchiveGap',
        `the WAL of timeline ${timeline} has ${later.length} ${later.length === 1 ? 'gap' : 'gaps'} there, the newest before ${later.at(-1)?.first}: lifeboat archive tells more.`,
      );
    const newest = kept.at(-1);
    return `WAL of timeline ${timeline} from ${first.first} to ${first.last}; ${newest === undefined ? 'no backup yet: the first one is taken right after a move' : `newest backup ${newest.label}`}`;
  }

  async #door(): Promise<string> {
    if (shareDoor(this.#plan, this.#from.host, this.#to.host)) return 'both sites have one load balancer';
    const { servers, found } = await this.#control.doorState({ traffic: doorOf(this.#plan, this.#to.host).traffic });
    leadsToNobody(servers, this.#to.host);
    return found;
  }

  async #name(): Promise<string> {
    const { entry } = this.#plan;
    if (entry === undefined)
      throw failure(
        'PlanInvalid',
        'the plan has no entry, the name by which clients know the service: nobody could lead them to the other site. Add entry.',
      );
    const [state, movable] = await Promise.all([
      this.#control.entryState({ entry }),
      this.#control.entryMovable({ entry }),
    ]);
    if (state.unfit !== undefined) throw failure('EntryUnfit', state.unfit);
    if (state.site !== this.#sites.from)
      throw failure('Moved', `${state.found}; expected that it leads to ${this.#sites.from}`);
    return `${state.found}; ${movable.found}; a planned move ${entry.movingTtl === undefined ? `is followed within ${durationText(entry.ttl)}` : `lowers the TTL to ${durationText(entry.movingTtl)} first`}`;
  }

  async #secrets(): Promise<string> {
    const names = [...secretNames(this.#plan), ...entrySecretNames(this.#plan)];
    const { found }: Found = await this.#control.resolveSecrets({ names });
    return found;
  }

  /** Of whatever site: a key that is lost is learned of while the files are still there. */
  #files(): [about: string, look: () => Promise<string>][] {
    return Object.entries(this.#plan.components ?? {}).flatMap(([name, files]) =>
      files.kind === 'restic' ? [[`the files of ${name}`, () => this.#filesCanComeBack(files)]] : [],
    );
  }

  async #filesCanComeBack(files: Files): Promise<string> {
    const { found, ageMs } = await this.#host(files.host).filesLook({ files });
    if (ageMs > files.newestWithin)
      throw failure(
        'BackupTooOld',
        `${found}; expected it to be no older than ${durationText(files.newestWithin)}. Back the files up: lifeboat start file-backup ${this.#plan.service} --mode live`,
      );
    return found;
  }

  #fence(): string {
    const usable = (this.#plan.failover?.fencing ?? [])
      .filter((fence) =>
        fence.kind === 'command'
          ? siteOf(this.#plan, fence.host) !== this.#sites.from
          : fence.kind === 'attestation' && this.#plan.people !== undefined,
      )
      .map(({ kind }) => kind);
    if (usable.length > 0) return `${usable.join(', then ')}, when no host worker answers there any more`;
    throw failure(
      'NotFenced',
      `the host workers of ${this.#sites.from} would be lost with it, and nothing else in failover.fencing could make sure that its primary is off. Add command or attestation: a command on a host of another site, people who can attest.`,
    );
  }
}
