/** What must be true before Patroni is asked to change the primary. Everything here only reads. */
import type { Found } from '../../../activities/shapes.ts';
import { formatBytes } from '../../../evidence/format.ts';
import type { Subject } from '../../../evidence/people.ts';
import { member, secretNames } from '../../../plan/hosts.ts';
import type { Member, PatroniDatabase } from '../../../plan/schema.ts';
import { candidatesIn, objectionsToSwitchover } from '../../../recovery/patroni.ts';
import { lagBytes, objections } from '../../../recovery/switchover.ts';
import type { SwitchoverInput } from '../../messages.ts';
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import { Clocks, database as clock } from '../clocks.ts';
import { somethingToFallBackOn } from '../switchover/assess.ts';
import { doorFollowsPatroni, factsOfAll, stateOf } from './cluster.ts';

export interface Chosen {
  members: readonly Member[];
  from: Member;
  to: Member;
  timeline: number;
  systemIdentifier: string;
  lastBackup: string;
  lastBackupMs: number;
}

export async function assessSwitchover(run: Run<SwitchoverInput>, database: PatroniDatabase): Promise<Chosen> {
  const clocks = new Clocks();
  const { members } = database;
  const { from, to } = await run.check('Patroni can change the primary, and it is known who takes over', () =>
    whoTakesOver(run, database),
  );
  await run.holdService();
  for (const { host } of members) await run.hold(host);
  await run.check('The front door follows Patroni', () => doorFollowsPatroni(run, from.host));
  const service = await run.check('The service answers through its front door', () =>
    clocks.read(clock, () => run.control.serviceMoment({ frontDoor: database.frontDoor })),
  );
  await run.check('The secrets of the plan resolve', () =>
    run.control.resolveSecrets({ names: secretsOf(run, database) }),
  );
  const { timeline } = await run.check('The servers themselves agree', () => serversAgree(run, database, from, to));
  await clocks.agree(run, service, undefined);
  const { lastBackup, lastBackupMs } = await somethingToFallBackOn(run, from, service);
  return { ...{ members, from, to, timeline, lastBackup, lastBackupMs }, systemIdentifier: service.systemIdentifier };
}

/** What Patroni takes orders with, too: it is asked once writes are about to stop. */
function secretsOf(run: Run, { rest }: PatroniDatabase): string[] {
  return [...secretNames(run.plan), ...(rest.password === undefined ? [] : [rest.password])];
}

async function whoTakesOver(
  run: Run<SwitchoverInput>,
  database: PatroniDatabase,
): Promise<Found & { from: Member; to: Member }> {
  const now = await stateOf(run, database);
  const wanted = run.input.to;
  if (now.storeSilent !== undefined)
    throw failure(
      'PatroniUnsettled',
      `Patroni's store cannot be asked (${now.found}): without it there is no lock to hand over. Bring the store back, or its quorum; nothing was changed.`,
    );
  if (now.leader === undefined)
    throw failure(
      'NotPrimary',
      `nobody holds Patroni's lock (${now.found}); expected a leader. Where the primary is lost: lifeboat start database-failover ${run.plan.service}`,
    );
  if (wanted === now.leader)
    throw failure('InputInvalid', `${wanted} is the primary already: there is nothing to switch.`);
  if (wanted !== undefined && now.members.every(({ host }) => host !== wanted))
    throw failure(
      'InputInvalid',
      `"to": ${wanted} is no member; there are ${now.members.map(({ host }) => host).join(', ')}.`,
    );
  const lag = (host: string) => now.members.find((one) => one.host === host)?.listed?.lagBytes ?? Infinity;
  const to = wanted ?? candidatesIn(now).toSorted((a, b) => lag(a) - lag(b))[0];
  if (to === undefined)
    throw failure('StandbyUnfit', `no standby may take over from ${now.leader} (${now.found}). Bring one up first.`);
  const against = objectionsToSwitchover(now, now.leader, to);
  if (against.length > 0)
    throw failure('StandbyUnfit', `Patroni would not switch over to ${to}: ${against.join('; ')}. Then start again.`);
  return {
    from: member(run.plan, now.leader),
    to: member(run.plan, to),
    found: `${now.found}; ${to} takes over from ${now.leader}`,
    expected: now.expected ?? 'one leader, and standbys that follow it',
  };
}

/** By their own users, on their own hosts: of one history, streaming, with the configuration of a primary. */
async function serversAgree(
  run: Run,
  database: PatroniDatabase,
  from: Member,
  to: Member,
): Promise<Found & { timeline: number; lag: number; sessions: number; waiting: number; logical: string[] }> {
  const facts = await factsOfAll(run, database.members);
  const primary = facts.find(({ host }) => host === from.host);
  const standby = facts.find(({ host }) => host === to.host);
  if (primary?.role !== 'primary' || standby === undefined)
    throw failure(
      'Moved',
      `${facts.map(({ host, found }) => `${host}: ${found}`).join('; ')}; expected ${from.host} as the primary.`,
    );
  // Patroni sets it on whoever leads, and takes it from whoever does not.
  const against = objections(primary, { ...standby, synchronousStandbys: '' });
  if (against.length > 0)
    throw failure('StandbyUnfit', `the roles cannot be changed: ${against.join('; ')}. Then start again.`);
  const lag = lagBytes(primary, standby);
  run.measure('lag of the standby', lag, 'bytes', 'between what the primary had written and the standby replayed');
  const logical = primary.slots.filter(({ kind }) => kind === 'logical').map(({ name }) => name);
  return {
    ...{ timeline: primary.timeline, lag, logical, sessions: primary.sessions, waiting: primary.archiver.waiting },
    found: facts.map(({ host, found }) => `${host}: ${found}`).join('; '),
    expected: `${from.host} as the primary, and ${to.host} streaming from it, both of one history`,
  };
}

/** A yes is bound to the subject; what moves from second to second is only shown. Read anew: Patroni may have changed its mind. */
export async function factsToApprove(
  run: Run<SwitchoverInput>,
  database: PatroniDatabase,
  { from, to, systemIdentifier, lastBackup }: Chosen,
): Promise<{ subject: Subject; shown: Subject }> {
  const now = await stateOf(run, database);
  const against = objectionsToSwitchover(now, from.host, to.host);
  if (against.length > 0)
    throw failure(
      'Moved',
      `since it was assessed this has come up: ${against.join('; ')}. Nothing was changed; start again.`,
    );
  const { timeline, lag, sessions, waiting, logical } = await serversAgree(run, database, from, to);
  return {
    subject: {
      from: from.host,
      to: to.host,
      timeline,
      'system identifier': systemIdentifier,
      by: `Patroni, cluster ${database.scope}`,
      ...(logical.length === 0 ? {} : { 'logical slots that may stay behind': logical.join(', ') }),
    },
    shown: {
      'the standby is behind by': formatBytes(lag),
      'sessions that will be ended': sessions,
      'files that wait for the archive': waiting,
      'last backup': lastBackup,
      'expected gap': "writes stop for some seconds, until the load balancer's check has seen the new primary",
      'can be undone': 'until Patroni is asked; after that the way back is another switchover',
      'what happens next': `Patroni stops ${from.host}, promotes ${to.host}, and brings ${from.host} back as its standby; Lifeboat proves it`,
    },
  };
}
