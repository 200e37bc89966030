/** Configuration restores and backups of files, on an estate in memory. */
import type { WorkflowHandle } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { failure } from '../../activities/failure.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import type { ConfigurationRestoreInput } from '../../workflows/messages.ts';
import type { Files } from '../../workflows/phases/components/restic.ts';
import { agreed, estateThatAsks, evidenceAtEnd, openOrEnded } from './asking.ts';
import type { FakeEstate } from './fake-estate.ts';
import { useRig } from './rig.ts';

const rig = useRig({ locks: ['lifeboat-lock/orders', 'lifeboat-host/db1', 'lifeboat-host/db2'] });

const web: Files = {
  kind: 'restic',
  after: [],
  host: 'db1',
  repository: 's3:https://s3.example.com/backups/web',
  password: '$' + '{file:/etc/lifeboat/web.key}',
  accessKeyId: '$' + '{env:KEY}',
  secretAccessKey: '$' + '{env:SECRET}',
  paths: ['/etc/nginx'],
  newestWithin: 30 * 3_600_000,
  inUse: {
    test: ['/usr/sbin/nginx', '-t'],
    reload: ['/usr/sbin/nginx', '-s', 'reload'],
    healthy: { url: 'http://127.0.0.1/health', status: 200, within: 30_000 },
  },
};

function estateWithFiles(): FakeEstate {
  const estate = estateThatAsks();
  estate.plan.components = { web };
  return estate;
}

async function restored(
  estate: FakeEstate,
  input: ConfigurationRestoreInput = {},
  meanwhile: (handle: WorkflowHandle) => Promise<void> = agreed,
): Promise<Evidence> {
  const handle = await rig.start(estate, 'configurationRestore', [{ mode: 'live', requestedBy: 'cara', ...input }]);
  await meanwhile(handle);
  return evidenceAtEnd(handle, estate);
}

const changed = (estate: FakeEstate) =>
  estate.calls.filter((name) => /^(backUp|restoreFiles|replace|takeUp|give|tidy|removeRestored)/.test(name));
const found = (evidence: Evidence, name: string) => evidence.steps.find((step) => step.name === name)?.found;

describe('a configuration restore', () => {
  test('shows people what would change, by counts and names, and replaces the files once they agree', async () => {
    const estate = estateWithFiles();
    const incidentAt = new Date(Date.now() - 60_000).toISOString();
    const evidence = await restored(estate, { incidentAt });
    expect(evidence.failure).toBeUndefined();
    expect(evidence).toMatchObject({
      outcome: 'recovered',
      flags: [],
      leftBehind: [],
      incidentAt,
    });
    expect(evidence.rto.valueMs).toBeGreaterThanOrEqual(60_000);
    expect(evidence.approvals).toMatchObject([
      {
        name: 'Replace files',
        subject: {
          component: 'web on db1',
          snapshot: 'a1b2c3d4 of 2026-11-21T03:00:00.000Z',
          '/etc/nginx': '1 come, 2 become another, 0 go',
          names: 'changed /etc/nginx/nginx.conf, and 2 more',
        },
      },
    ]);
    expect(changed(estate)).toEqual(['restoreFiles', 'replaceFiles', 'takeUpFiles', 'tidyFiles']);
    expect(estate.files).toMatchObject({ live: 'restored', serves: 'restored', beside: ['spoilt'] });
  });

  test('that is refused leaves the files, and nothing beside', async () => {
    const estate = estateWithFiles();
    const evidence = await restored(estate, {}, async (handle) => {
      const open = await openOrEnded(handle);
      await handle.signal('reject', { by: 'ana', approval: open?.id, code: open?.code, channel: 'automation' });
    });
    expect(evidence).toMatchObject({ outcome: 'aborted', failure: { type: 'NotApproved' }, leftBehind: [] });
    expect(estate.files).toMatchObject({ live: 'spoilt', serves: 'good', beside: [] });
    expect(changed(estate)).toEqual(['restoreFiles', 'removeRestored']);
  });

  test('whose files somebody changes while people are asked asks them anew', async () => {
    const estate = estateWithFiles();
    const evidence = await restored(estate, {}, async (handle) => {
      await openOrEnded(handle);
      estate.files.writes += 1;
      await agreed(handle);
    });
    expect(evidence).toMatchObject({ outcome: 'recovered' });
    expect(evidence.approvals?.map(({ round }) => round)).toEqual([1, 2]);
    expect(evidence.approvals?.[1]?.subject).toMatchObject({ '/etc/nginx': '1 come, 3 become another, 0 go' });
  });

  test('that is not taken up has the old files back at once, before anybody is asked what now', async () => {
    const estate = estateWithFiles();
    estate.files.fit = false;
    const evidence = await restored(estate);
    expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'ReloadFailed' }, leftBehind: [] });
    expect(estate.files).toMatchObject({ live: 'spoilt', serves: 'good', beside: [] });
    expect(changed(estate).slice(0, 4)).toEqual(['restoreFiles', 'replaceFiles', 'takeUpFiles', 'giveFilesBack']);
    expect(changed(estate).at(-1)).toBe('removeRestored');
  });

  test('where nothing lay, leaves nothing when it is not taken up', async () => {
    const estate = estateWithFiles();
    Object.assign(estate.files, { fit: false, live: 'missing' });
    await restored(estate);
    expect(estate.files).toMatchObject({ live: 'missing', beside: [] });
  });

  test('with a lost key ends in assessment: nothing was touched, nobody was asked', async () => {
    const estate = estateWithFiles();
    estate.files.keyFits = false;
    const evidence = await restored(estate);
    expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'KeyLost' } });
    expect(evidence.toDo).toMatch(/^Find the key/);
    expect(evidence.approvals ?? []).toEqual([]);
    expect(changed(estate)).toEqual([]);
  });

  test('says when what comes back is older than the plan allows', async () => {
    const estate = estateWithFiles();
    estate.files.ageMs = 48 * 3_600_000;
    expect(found(await restored(estate), 'The files of web can come back')).toContain(
      'It is older than the 30 h that the plan allows',
    );
  });

  test('whose snapshot changes after the files are in place is not called recovered', async () => {
    const estate = estateWithFiles();
    estate.before = (name) => {
      if (name === 'filesAre') throw failure('NotEqual', 'somebody writes there');
    };
    const evidence = await restored(estate);
    expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'NotEqual' } });
    expect(estate.files).toMatchObject({ live: 'spoilt', beside: [] });
  });

  test.each([
    [{}, undefined, 'PlanInvalid', 'has no component of kind restic'],
    [{}, { web, uploads: web }, 'InputInvalid', 'the plan has 2 components that restic keeps: web, uploads'],
    [{ component: 'wep' }, { web }, 'InputInvalid', 'has no component "wep" that restic keeps: it has web'],
    [{ snapshot: 'ffffffff' }, { web }, 'BackupMissing', 'no snapshot is called'],
  ] as const)('that cannot know what is meant (%j) says so', async (input, components, type, words) => {
    const estate = estateThatAsks();
    if (components !== undefined) estate.plan.components = { ...components };
    const evidence = await restored(estate, input);
    expect(evidence.failure).toMatchObject({ type, message: expect.stringContaining(words) });
  });

  test('at a naive time does not begin', async () => {
    const run = rig.run(estateWithFiles(), 'configurationRestore', [{ snapshot: '2026-11-21T14:00:00' }]);
    await expect(run).rejects.toMatchObject({
      cause: { type: 'InputInvalid', message: expect.stringContaining('"snapshot" is a time without an offset') },
    });
  });

  test('is only previewed without an explicit live mode, by workers that offer only reads', async () => {
    const estate = estateWithFiles();
    const summary = await rig.run(estate, 'configurationRestore', [], { readOnly: true });
    expect(summary.outcome).toBe('previewed');
    const previews = estate.written[0]?.steps.flatMap(({ preview }) => preview ?? []) ?? [];
    expect(previews[0]).toMatch(
      /^restore \/etc\/nginx \(1 kB\) of snapshot a1b2c3d4 of 2026-11-21T03:00:00\.000Z beside, on db1/,
    );
    expect(previews[1]).toMatch(
      /then \/usr\/sbin\/nginx -t, \/usr\/sbin\/nginx -s reload, and http:\/\/127\.0\.0\.1\/health must answer 200/,
    );
    expect(changed(estate)).toEqual([]);
  });
});

describe('a backup of files', () => {
  const backedUp = async (estate: FakeEstate, input: object = {}): Promise<Evidence> =>
    evidenceAtEnd(await rig.start(estate, 'fileBackup', [{ mode: 'live', ...input }]), estate);

  test('of all components takes a snapshot of each, and reads back what is kept', async () => {
    const estate = estateWithFiles();
    estate.plan.components = { web, uploads: { ...web, host: 'db2', paths: ['/srv/uploads'] } };
    const evidence = await backedUp(estate);
    expect(evidence).toMatchObject({ outcome: 'completed', flags: [] });
    expect(estate.files.taken).toEqual([
      expect.stringMatching(/^orders-.*-web$/),
      expect.stringMatching(/^orders-.*-uploads$/),
    ]);
    expect(estate.calls.filter((name) => name === 'filesSound')).toHaveLength(2);
    expect(evidence.measurements.map(({ name }) => name)).toContain('bytes added of uploads');
  });

  test('of one component takes that one alone', async () => {
    const estate = estateWithFiles();
    estate.plan.components = { web, uploads: { ...web, paths: ['/srv/uploads'] } };
    await backedUp(estate, { component: 'uploads' });
    expect(estate.files.taken).toEqual([expect.stringMatching(/-uploads$/)]);
  });

  test.each([{ live: 'missing' }, { keyFits: false }])('with %j takes none', async (trouble) => {
    const estate = estateWithFiles();
    Object.assign(estate.files, trouble);
    expect(await backedUp(estate)).toMatchObject({ outcome: 'failed' });
    expect(estate.files.taken).toEqual([]);
  });

  test('of a repository that turns out to be damaged fails, though its snapshot was taken', async () => {
    const estate = estateWithFiles();
    estate.before = (name) => {
      if (name === 'filesSound') throw failure('BackupCorrupt', 'a pack is damaged');
    };
    expect(await backedUp(estate)).toMatchObject({ outcome: 'failed', failure: { type: 'BackupCorrupt' } });
  });

  test('is only previewed without an explicit live mode, by workers that offer only reads', async () => {
    const estate = estateWithFiles();
    const summary = await rig.run(estate, 'fileBackup', [], { readOnly: true });
    expect(summary.outcome).toBe('previewed');
    expect(estate.files.taken).toEqual([]);
  });
});

describe('in a recovery of the whole service', () => {
  const brought = async (estate: FakeEstate): Promise<Evidence> =>
    evidenceAtEnd(await rig.start(estate, 'bringingFiles', [{ mode: 'live' }]), estate);
  const look = 'The files of web are there, or can come back';

  test('files that are all there stay, and what differs is said', async () => {
    const estate = estateWithFiles();
    const evidence = await brought(estate);
    expect(evidence).toMatchObject({ outcome: 'completed' });
    expect(found(evidence, look)).toBe('snapshot a1b2c3d4; /etc/nginx is spoilt');
    expect(changed(estate)).toEqual([]);
  });

  test('files that are missing come back', async () => {
    const estate = estateWithFiles();
    estate.files.live = 'missing';
    expect(await brought(estate)).toMatchObject({ outcome: 'completed', leftBehind: [] });
    expect(estate.files).toMatchObject({ live: 'restored', serves: 'restored', beside: [] });
  });

  test('a repository that does not open hinders nobody whose files are there, and is told', async () => {
    const estate = estateWithFiles();
    estate.files.keyFits = false;
    const evidence = await brought(estate);
    expect(evidence).toMatchObject({ outcome: 'completed' });
    expect(found(evidence, look)).toContain(
      'but nothing could bring them back: the repository does not open with its key',
    );
  });

  test('a repository that does not open ends it where files are missing', async () => {
    const estate = estateWithFiles();
    Object.assign(estate.files, { keyFits: false, live: 'missing' });
    expect(await brought(estate)).toMatchObject({ outcome: 'failed', failure: { type: 'KeyLost' } });
  });
});
