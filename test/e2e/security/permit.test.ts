/**
 * Whoever can reach Temporal can ask a host worker for anything. The permit file is what stands between: each of these asks for more than
 * it gives, on real directories and a real server, and an observer looks whether anything outside was touched.
 */
import { appendFile, chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { startOf } from '../../../activities/processes.ts';
import type { Scratch } from '../../../activities/shapes.ts';
import {
  estate,
  type Host,
  hand,
  label,
  lookAnew,
  nothingChangedOutside,
  outside,
  sent,
  useOutside,
} from './outside.ts';

useOutside();

// The live server may be stopped and started: else that alone would be the answer to whoever names it.
beforeAll(() => appendFile(estate.permit, `serverControl: [{ dataDirectory: ${estate.member.dataDirectory} }]\n`));

/** Activities that are told a scratch directory: the compiler asks for each of them here. */
type OnScratch = {
  [K in keyof Host]: Parameters<Host[K]>[0] extends { scratch: Scratch } ? K : never;
}[keyof Host];

/** Everything that a scratch directory can be named in. */
function asksFor(directory: unknown): { [K in OnScratch]: Parameters<Host[K]>[0] } {
  const scratch = sent<{ host: string; directory: string }>({ host: 'db1', directory });
  const { backups } = estate;
  const database = 'postgres';
  const target = { kind: 'lsn', lsn: '0/5000000', inclusive: false, timeline: 1 } as const;
  const segments = [{ first: '000000010000000000000001', last: '000000010000000000000001' }];
  const segmentBytes = 1024 * 1024;
  const known = { segmentBytes, systemIdentifier: '7', timelines: [] };
  const span = { from: '2026-11-21T14:00:00Z', to: '2026-11-21T15:00:00Z' };
  const member = { ...estate.member, control: { kind: 'pg_ctl' } } as const;
  const left = { lsn: '0/3000028', timeline: 1, systemIdentifier: '7' };
  const aside = `${member.dataDirectory}.before-x`;
  const replacement = { member, scratch, setAside: aside, backups };
  const setAside = { member, directory: aside, left };
  const room = { bytes: 1, keepFree: '1MB' };
  const source = {
    primary: { host: 'db2', address: '127.0.0.1', port: 1 },
    replication: { user: 'postgres', options: {} },
  };
  return {
    segmentSize: { backups, scratch },
    readSegments: { backups, scratch, segments, known, wholly: true },
    segmentsBetween: { backups, scratch, segments, segmentBytes, ...span },
    searchWal: { backups, scratch, segments, known, serverVersion: 15, leastRows: 1, ...span },
    relationsAt: { backups, scratch, target, outageWithinMs: 1, database, files: [], oids: [], databases: [] },
    hostFacts: { backups, scratch },
    roomFor: { scratch, bytes: 1, keepFree: '1MB' },
    litter: { scratch },
    newestCommit: {
      backups,
      scratch,
      timeline: 1,
      firstSegment: '000000010000000000000001',
      lastSegment: '000000010000000000000001',
      segmentBytes: 1024 * 1024,
    },
    restoreBeside: { backups, label, bytes: 1, scratch, throwAway: true },
    replayTo: { backups, scratch, target, outageWithinMs: 1, throwAway: true },
    endOfRecovery: { scratch },
    fingerprints: { scratch, database, tables: ['orders'] },
    pulsesRestored: { scratch, database },
    runAssertions: { scratch, database, assertions: [{ name: 'x', sql: 'select 1', expect: 1 }] },
    promoteScratch: { scratch },
    smoke: { scratch, database, application: { kind: 'command', smoke: { command: ['/bin/true'], within: 1 } } },
    checkIndexes: { scratch, database },
    checkConstraints: { scratch, database },
    checkPages: { scratch },
    removeScratch: { scratch },
    locateTarget: {
      backups,
      scratch,
      segments,
      known,
      serverVersion: 15,
      timeline: 1,
      target: { kind: 'name', name: 'x' },
    },
    canReplace: replacement,
    replaceDirectory: { ...replacement, left },
    replaceBack: replacement,
    stopBeside: { scratch },
    waysToLook: { scratch, database },
    ownConfiguration: { member, scratch, backups },
    canRewind: { member, ...source, backups, scratch, from: left.lsn, way: { own: [], common: [] } },
    canTakePlace: { member, scratch },
    writesAfter: { member, timeline: 1, from: left.lsn, own: [], scratch },
    copySetAside: { ...setAside, scratch, room },
    roomForCopy: { ...setAside, scratch, keepFree: '1MB' },
    lostInWal: { ...{ backups, scratch, segments, known, serverVersion: 15 }, after: left.lsn, member, database },
    ledgerOfLostWrites: {
      ...{ scratch, setAside, timeline: 2, database, tables: ['orders'], room },
      ...{ store: sent({ directory: outside }), service: 'orders', run: 'x', runId: 'x' },
    },
  };
}

/** The type of failure of each activity that is asked. */
async function answersFor(directory: unknown): Promise<Record<string, string>> {
  const answers: Record<string, string> = {};
  for (const [activity, ask] of Object.entries(asksFor(directory)))
    answers[activity] = await hand.call(activity as keyof Host, sent(ask)).then(
      () => 'did it',
      (error: { type: string; message: string }) => {
        // One line, and no longer than a person reads: it goes into logs and terminals.
        expect(error.message).not.toMatch(/\p{Cc}/u);
        expect(error.message.length).toBeLessThan(2_000);
        return error.type;
      },
    );
  return answers;
}

const everyone = (type: string) => Object.fromEntries(Object.keys(asksFor('')).map((activity) => [activity, type]));

const hostilePlaces: [what: string, place: (root: string, elsewhere: string) => unknown][] = [
  ['the scratch root itself', (root) => root],
  ['the scratch root with a slash', (root) => `${root}/`],
  ['a way up', (root) => `${root}/../outside`],
  ['a way up behind a name', (root) => `${root}/run/../../outside`],
  ['a way up at the end', (root) => `${root}/run/..`],
  ['a dot on the way', (root) => `${root}/./run`],
  ['a double slash', (root) => `${root}//run`],
  ['a closing slash', (root) => `${root}/run/`],
  ['a relative path', () => 'scratch/run'],
  ['nothing', () => ''],
  ['the root of the machine', () => '/'],
  ['a neighbour whose name begins alike', (root) => `${root}-2/run`],
  ['the name in capitals', (root) => `${root.toUpperCase()}/RUN`],
  ['an option instead of a path', () => '--delta'],
  ['a name like an option', (root) => `${root}/-rf`],
  ['a name like a long option', (root) => `${root}/--delta`],
  ['a hidden name', (root) => `${root}/.ssh`],
  ['a line break', (root) => `${root}/run\narchive_command='touch x'`],
  ['a carriage return', (root) => `${root}/run\r`],
  ['a zero byte', (root) => `${root}/run\0/../../outside`],
  ['a terminal sequence', (root) => `${root}/\u001b[2Jrun`],
  ['a comma, which begins another socket directory', (root, elsewhere) => `${root}/a,${elsewhere}/x`],
  ['a command', (root, elsewhere) => `${root}/$(touch ${elsewhere}/touched)`],
  ['backticks', (root) => `${root}/\`id\``],
  ['a quote', (root) => `${root}/it's`],
  ['a percent sign', (root) => `${root}/%f`],
  ['a slash that only looks like one', (root) => `${root}\u2215run`],
  ['dots that only look like two', (root) => `${root}/\u2025/outside`],
  ['wide letters', (root) => `${root}/\uff52un`],
  ['a change of direction', (root) => `${root}/\u202enur`],
  ['five thousand letters', (root) => `${root}/${'a'.repeat(5_000)}`],
  ['a number', () => 5],
  ['no value', () => null],
  ['a list', (root) => [`${root}/run`]],
  ['an object that says it is a text', () => ({ length: 3, startsWith: 'x' })],
];

test.each(hostilePlaces)('%s instead of a scratch directory is not permitted to anybody', async (_what, place) => {
  expect(await answersFor(place(estate.scratchRoot, outside))).toEqual(everyone('NotPermitted'));
});

describe('a link', () => {
  const at = (name: string) => join(estate.scratchRoot, name);
  const link = (target: string, name: string) => estate.run('ln', '-sfn', target, at(name));

  test('that leads out of the scratch root is not followed', async () => {
    await link(outside, 'out');
    for (const name of ['out', 'out/data', 'out/new'])
      expect(await answersFor(at(name))).toEqual(everyone('NotPermitted'));
  });

  test('to another run is not taken for a run', async () => {
    await link(at('other-run'), 'also');
    expect(await answersFor(at('also'))).toEqual(everyone('NotPermitted'));
  });

  test('that leads nowhere yet is not waited for', async () => {
    await link(join(outside, 'not-yet'), 'dangling');
    expect(await answersFor(at('dangling'))).toEqual(everyone('NotPermitted'));
  });

  test.each(['data', 'tablespaces', 'socket', 'log', 'spool', 'lock', 'wal', 'restore-command', 'postgresql.conf'])(
    'in the place of %s of a run leads nobody to the live server',
    async (name) => {
      await estate.run('mkdir', '-p', at('run-x'));
      await link(name === 'data' ? estate.member.dataDirectory : join(outside, 'data'), `run-x/${name}`);
      const answers = await answersFor(at('run-x'));
      try {
        // These look at the disk alone, or at the live server's own files.
        for (const one of ['hostFacts', 'roomFor', 'roomForCopy', 'canRewind', 'canTakePlace', 'writesAfter'])
          answers[one] = 'NotPermitted';
        expect(answers).toEqual(everyone('NotPermitted'));
      } finally {
        await estate.run('rm', '-rf', at('run-x'));
      }
    },
  );

  test('cannot be put in the place of what was looked at by other users: a root that they may write is refused', async () => {
    await chmod(estate.scratchRoot, 0o1777);
    try {
      expect(await answersFor(at('run'))).toEqual(everyone('NotPermitted'));
    } finally {
      await chmod(estate.scratchRoot, 0o700);
    }
  });
});

describe('the backup tool', () => {
  const scratch = () => ({ host: 'db1', directory: join(estate.scratchRoot, 'tool') });
  const restored = (more: object, backup = label) =>
    hand
      .call('restoreBeside', {
        backups: { ...estate.backups, ...more },
        label: backup,
        bytes: 1,
        scratch: scratch(),
        throwAway: true,
      })
      .then(
        () => 'did it',
        (error: { type: string }) => error.type,
      );

  test.each([
    ['a configuration that is not listed', (root: string) => `${root}/own.conf`],
    ['a way round to the one that is', (root: string) => `${root}/outside/../pgbackrest.conf`],
    ['an option', () => '--config=/etc/passwd'],
    ['nothing', () => ''],
  ])('is not given %s', async (_what, config) => {
    await writeFile(join(estate.root, 'own.conf'), '[orders]\n').catch(() => undefined);
    expect(await restored({ config: config(estate.root) })).toBe('NotPermitted');
    await execa('rm', ['-f', join(estate.root, 'own.conf')]);
  });

  test.each(['../../outside/x', '--delta', '', 'a/b', 'a\nb', '.', '*', 5])(
    'takes no stanza called %j',
    async (stanza) => {
      expect(await restored({ stanza })).toBe('PlanInvalid');
      expect(
        await hand
          .call('repository', sent({ backups: { ...estate.backups, stanza }, segmentBytes: 1 }))
          .catch((error: { type: string }) => error.type),
      ).toBe('PlanInvalid');
    },
  );

  test.each(['../../../outside', '--delta', '20260101-000000F --pg1-path=/x'])(
    'restores no backup called %j',
    async (name) => {
      expect(await restored({}, name)).toBe('PlanInvalid');
    },
  );

  test('restores into the scratch directory, whatever data directory its configuration names', async () => {
    const config = join(estate.root, 'misleading.conf');
    const own = await readFile(estate.backups.config, 'utf8');
    const permit = await readFile(estate.permit, 'utf8');
    await writeFile(config, own.replace(/^pg1-path=.*$/m, `pg1-path=${join(outside, 'data')}`));
    await writeFile(estate.permit, permit.replace(estate.backups.config, config));
    await lookAnew();
    expect(await restored({ config })).toBe('did it');
    expect(await readFile(join(scratch().directory, 'data', 'PG_VERSION'), 'utf8')).toMatch(/^\d+\n$/);
    await nothingChangedOutside();
    await hand.call('removeScratch', { scratch: scratch() });
    await execa('rm', ['-f', config]);
    await writeFile(estate.permit, permit);
    await lookAnew();
  });
});

test.each([
  [['/bin/sh', '-c', 'touch outside/touched']],
  [['sh']],
  [['./smoke']],
  [['']],
  [[]],
  [['/bin/../bin/sh']],
  [['-c']],
])('the smoke command %j is not run', async (command) => {
  const scratch = { host: 'db1', directory: join(estate.scratchRoot, 'smoke') };
  await estate.run('mkdir', '-p', scratch.directory);
  await estate.run('touch', join(scratch.directory, 'restored.json'));
  const application = { kind: 'command', smoke: { command, within: 1_000 } } as const;
  await expect(hand.call('smoke', { scratch, database: 'postgres', application })).rejects.toMatchObject({
    type: 'NotPermitted',
  });
});

test('a process that Lifeboat has not started below a scratch root is not ended, be it named ever so well', async () => {
  const pid = Number((await readFile(join(estate.member.dataDirectory, 'postmaster.pid'), 'utf8')).split('\n')[0]);
  const identity = `${pid} ${await startOf(pid)}`;
  const leftovers = sent<Parameters<Host['removeLeftovers']>[0]['leftovers']>([
    { host: 'db1', kind: 'process', what: 'the server of a run', identity, pid },
  ]);
  await expect(
    hand.call('removeLeftovers', { host: 'db1', members: [estate.member], leftovers }),
  ).rejects.toMatchObject({ type: 'NotPermitted' });
});

test.each(['segmentSize', 'readSegments', 'newestCommit', 'segmentsBetween', 'searchWal', 'restoreBeside'] as const)(
  '%s reads no archive through a configuration of somebody else',
  async (activity) => {
    const directory = join(estate.scratchRoot, 'archive');
    const backups = { ...estate.backups, config: join(outside, 'own.conf') };
    const ask = { ...asksFor(directory)[activity], backups };
    await expect(hand.call(activity, sent(ask))).rejects.toMatchObject({ type: 'NotPermitted' });
  },
);
