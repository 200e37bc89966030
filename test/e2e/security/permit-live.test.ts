/** What a permit file says of live servers stands against whoever asks for more: each activity that is told one is asked. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Member } from '../../../plan/schema.ts';
import { estate, type Host, hand, outside, sent, useOutside } from './outside.ts';

useOutside();

/** Activities that are told a live server: the compiler asks for each of them here. */
type OnMember = {
  [K in keyof Host]: Parameters<Host[K]>[0] extends { member: Member } ? K : never;
}[keyof Host];

/** Everything that a live server can be named in. */
function asksAbout(member: Member, backups = estate.backups): { [K in OnMember]: Parameters<Host[K]>[0] } {
  const left = { lsn: '0/3000028', timeline: 1, systemIdentifier: '7' };
  const tables = ['orders'];
  const withinMs = 1_000;
  const database = 'postgres';
  const replication = { user: 'postgres', options: {} };
  const following = {
    ...{ member, backups, left, replication, timeline: 2, slot: 'db1' },
    primary: { host: 'db2', address: '127.0.0.1', port: 1 },
  };
  const scratch = { host: 'db1', directory: join(estate.scratchRoot, 'run') };
  const aside = `${member.dataDirectory}.before-x`;
  const replacement = { member, scratch, setAside: aside, backups };
  const setAside = { member, directory: aside, left };
  return {
    memberFacts: { member, backups },
    serverFacts: { member, backups },
    caughtUp: { member, lsn: left.lsn, withinMs },
    archivedHere: { member, backups, segment: '000000010000000000000001', withinMs },
    howItStands: { member },
    standsStill: { member, left },
    primarySeenFrom: { member, primary: following.primary, withinMs: 10 },
    replayedAll: { member, withinMs },
    fenceServer: { member, withinMs },
    unfenceServer: { member, ran: true, timeline: 1, withinMs },
    checkpoint: { member },
    makeSlot: { member, slot: 'made' },
    dropSlot: { member, slot: 'made' },
    stopPrimary: { member, timeline: 1, systemIdentifier: '7', withinMs },
    startPrimary: { member, timeline: 1, withinMs },
    standbyOnly: { member, left },
    primaryAgain: { member, withinMs },
    promoteStandby: { member, from: left, withinMs },
    archiveReaches: { member, backups, timeline: 1 },
    askArchive: { member, backups, withinMs },
    makeFollower: following,
    startFollower: { ...following, withinMs },
    fingerprintsAt: { ...following, lsn: left.lsn, database, tables, withinMs },
    takeBackup: { backups, member, type: 'full', key: 'k' },
    anchorUnderLock: { member, database, tables, lockWithinMs: 10, key: 'k' },
    anchorOnStandby: { member, database, tables, withinMs: 10 },
    standbyFound: { member, replication },
    primaryKeeps: { member, slot: 'made', replicationUser: 'postgres' },
    writesAfter: { member, timeline: 1, from: left.lsn, own: [], scratch },
    canRewind: { ...following, scratch, from: left.lsn, way: { own: [], common: [] } },
    canTakePlace: { member, scratch },
    keepSlot: { member, slot: 'made' },
    reattach: following,
    rewind: { ...following, run: 'x', fetch: [] },
    copyPrimary: { ...following, run: 'x' },
    removeCopy: { member, run: 'x' },
    takePlace: { ...following, run: 'x' },
    giveBack: { member, run: 'x', backups, primary: 'db2', ran: false },
    lookAtSetAside: { member, directory: aside },
    removeSetAside: { member, directory: aside, identity: 'x' },
    roomForCopy: { ...setAside, scratch, keepFree: '1MB' },
    copySetAside: { ...setAside, scratch, room: { bytes: 1, keepFree: '1MB' } },
    ownConfiguration: { member, scratch, backups },
    lostInWal: {
      ...{ backups, scratch, segments: [], known: { segmentBytes: 1024 * 1024, systemIdentifier: '7', timelines: [] } },
      ...{ serverVersion: 15, after: left.lsn, member, database },
    },
    whatLies: { member },
    countRows: { member, database, tables },
    assertionsLive: { member, database, assertions: [{ name: 'x', sql: 'select 1', expect: 1 }] },
    stopStandby: { member, withinMs },
    startStandby: { member, withinMs },
    canReplace: replacement,
    replaceDirectory: { ...replacement, left },
    replaceBack: replacement,
    startReplaced: { member, timeline: 1, systemIdentifier: '7', withinMs },
    returnOnNewTimeline: { member, backups, above: 1, withinMs },
    smokeLive: {
      ...{ member, database },
      application: { kind: 'command', smoke: { command: ['/bin/true'], within: 1, live: true } },
    },
  };
}

test.each([
  ['one that nobody listed', () => outside],
  ['a directory in the listed one', () => `${estate.member.dataDirectory}/base`],
  ['the listed one with a slash', () => `${estate.member.dataDirectory}/`],
  ['the root of the machine', () => '/'],
  ['nothing', () => ''],
])('a data directory that is %s is touched by nobody', async (_what, directory) => {
  const member = { ...estate.member, dataDirectory: directory(), control: { kind: 'pg_ctl' } } as const;
  for (const [activity, ask] of Object.entries(asksAbout(member)))
    await expect(hand.call(activity as OnMember, sent(ask)), activity).rejects.toMatchObject({ type: 'NotPermitted' });
});

test('a server that may be backed up is not stopped, started, promoted or made to follow for that', async () => {
  const member = { ...estate.member, control: { kind: 'pg_ctl' } } as const;
  const asks = asksAbout(member);
  for (const activity of [
    ...(['stopPrimary', 'startPrimary', 'standbyOnly', 'primaryAgain', 'promoteStandby', 'standsStill'] as const),
    ...(['makeFollower', 'startFollower', 'fingerprintsAt', 'stopStandby', 'startStandby'] as const),
    ...(['canReplace', 'replaceDirectory', 'replaceBack', 'startReplaced', 'returnOnNewTimeline'] as const),
  ])
    await expect(hand.call(activity, sent(asks[activity])), activity).rejects.toMatchObject({
      type: 'NotPermitted',
      message: expect.stringContaining('serverControl'),
    });
});

test('one that may be, is not given a restore_command with a configuration of somebody else, nor another log', async () => {
  const permit = await readFile(estate.permit, 'utf8');
  await writeFile(estate.permit, `${permit}\nserverControl: [{ dataDirectory: ${estate.member.dataDirectory} }]\n`);
  try {
    const config = join(outside, 'own.conf');
    const { makeFollower, stopPrimary } = asksAbout({ ...estate.member, control: { kind: 'pg_ctl' } });
    await expect(
      hand.call('makeFollower', { ...makeFollower, backups: { ...estate.backups, config } }),
    ).rejects.toMatchObject({ type: 'NotPermitted', message: expect.stringContaining('backupConfigurations') });
    const log = join(estate.member.dataDirectory, 'pg_hba.conf');
    await expect(
      hand.call('stopPrimary', { ...stopPrimary, member: { ...estate.member, control: { kind: 'pg_ctl', log } } }),
    ).rejects.toMatchObject({ type: 'NotPermitted', message: expect.stringContaining(`"log":"${log}"`) });
  } finally {
    await writeFile(estate.permit, permit);
  }
});
