import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { failure } from '../../activities/failure.ts';
import type { ArchiveResult } from '../../workflows/archive.ts';
import { FakeEstate } from './fake-estate.ts';
import { useRig } from './rig.ts';

const rig = useRig();

async function archive(estate: FakeEstate, input: object = {}): Promise<ArchiveResult> {
  const handle = await rig.start(estate, 'archive', [input]);
  return handle.result();
}

/** The type of the failure that a drill ended with, and what it said. */
async function drilled(estate: FakeEstate): Promise<{ type: string; message: string }> {
  try {
    await rig.run(estate, 'monthlyDrill', [{}]);
    return { type: 'none', message: 'the drill was proven' };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError) || !(error.cause instanceof ApplicationFailure)) throw error;
    return { type: error.cause.type ?? '', message: error.cause.message };
  }
}

describe('the WAL archive', () => {
  test('of a sound service has no finding, and tells its branch and what was read', async () => {
    const result = await archive(new FakeEstate());
    expect(result).toMatchObject({ timeline: 1, lsn: '0/A000000', findings: [], read: { of: 9, wholly: false } });
    expect(result.branches[0]?.window.to?.segment).toBe('000000010000000000000009');
    expect(result.silent).toBeUndefined();
  });

  test('is told of a dead service too, by the archive alone', async () => {
    const estate = new FakeEstate();
    estate.before = (name) => {
      if (name === 'serviceMoment') throw failure('DatabaseUnreachable', 'nobody answers');
    };
    const result = await archive(estate);
    expect(result).toMatchObject({ timeline: 1, silent: 'DatabaseUnreachable: nobody answers', findings: [] });
    expect(result.lsn).toBeUndefined();
    expect(estate.calls).toContain('segmentSize');
  });

  test('is told without anchors when their store is away, and says so', async () => {
    const estate = new FakeEstate();
    estate.before = (name) => {
      if (name === 'listAnchors') throw failure('StoreRefused', 'no such key');
    };
    expect((await archive(estate)).notes).toEqual(['anchors were not listed: StoreRefused: no such key']);
  });

  test('is read whole only when that is asked for', async () => {
    expect((await archive(new FakeEstate(), { deep: true })).read.wholly).toBe(true);
  });

  test.each(['archive', 'recoveryWindow'])(
    '%s is answered also when Lifeboat itself stumbles over what it is told',
    async (question) => {
      const estate = new FakeEstate();
      // No segment of 16 MB is called so.
      for (const backup of estate.repository.backups) backup.startWal = '000000010000000000000FFF';
      const handle = await rig.start(estate, question, [{}]);
      await expect(handle.result()).rejects.toMatchObject({
        cause: { type: 'Bug', message: expect.stringContaining('000000010000000000000FFF cannot exist') },
      });
    },
  );

  test('changes nothing', async () => {
    const estate = new FakeEstate();
    await archive(estate);
    const changes = Object.keys(estate.hostChanges());
    expect(estate.calls.filter((name) => changes.includes(name))).toEqual([]);
  });
});

describe('a drill refuses an archive', () => {
  test('of another cluster, though its backups would restore', async () => {
    const estate = new FakeEstate();
    estate.repository.systemIdentifier = '8';
    expect(await drilled(estate)).toMatchObject({
      type: 'ArchiveUnsound',
      message: expect.stringContaining("its system identifier is 8, the service's is 7"),
    });
    expect(estate.calls).not.toContain('restoreBeside');
  });

  test('that is ahead of the service, once the service was asked again', async () => {
    const estate = new FakeEstate();
    const [timeline] = estate.repository.timelines;
    if (timeline)
      timeline.ranges = [{ first: '000000010000000000000001', last: '0000000100000000000000F0', count: 240 }];
    expect(await drilled(estate)).toMatchObject({
      type: 'ArchiveUnsound',
      message: expect.stringContaining('another server archives on the same timeline'),
    });
    expect(estate.calls.filter((name) => name === 'serviceMoment').length).toBeGreaterThan(1);
  });

  test('whose segments at the edges are of somebody else', async () => {
    const estate = new FakeEstate();
    estate.faults = [{ kind: 'foreign-segment', segment: '000000010000000000000008', seen: 'of another cluster' }];
    expect((await drilled(estate)).type).toBe('ArchiveUnsound');
  });

  test('whose segments at the edges are damaged, and calls that what it is', async () => {
    const estate = new FakeEstate();
    estate.faults = [{ kind: 'damaged-segment', segment: '000000010000000000000008', seen: 'cannot be read' }];
    expect((await drilled(estate)).type).toBe('BackupCorrupt');
  });

  test('of which it has archived nothing on its own timeline since a promotion', async () => {
    const estate = new FakeEstate();
    estate.archiving = { archiver: { last: '00000001.history', failing: '0'.repeat(24) } };
    expect(await drilled(estate)).toMatchObject({
      type: 'ArchiveGap',
      message: expect.stringContaining('has not archived any segment of timeline 1 yet'),
    });
  });

  test('but not for what lies aside: a stranger and a segment twice, before the backup', async () => {
    const estate = new FakeEstate();
    estate.repository.oddities = [
      { kind: 'stranger', name: 'notes.txt', why: 'notes.txt is not a file of a WAL archive' },
      { kind: 'stored-twice', name: '000000010000000000000002', why: '000000010000000000000002 is stored 2 times' },
    ];
    expect((await drilled(estate)).type).toBe('none');
    const sound = estate.written[0]?.steps.find(({ id }) => id === 'assessment/the-timelines-in-the-archive-are-sound');
    expect(sound?.found).toContain('notes.txt is not a file of a WAL archive');
  });

  test('whose newest commit the service does not know', async () => {
    const estate = new FakeEstate();
    estate.before = (name) => {
      if (name === 'ownCommit') throw failure('ArchiveUnsound', 'another moment');
    };
    expect(await drilled(estate)).toMatchObject({ type: 'ArchiveUnsound' });
    expect(estate.calls).not.toContain('restoreBeside');
  });

  test('where a segment stands twice on the way', async () => {
    const estate = new FakeEstate();
    estate.repository.oddities = [
      { kind: 'stored-twice', name: '000000010000000000000006', why: '000000010000000000000006 is stored 2 times' },
    ];
    expect((await drilled(estate)).type).toBe('ArchiveUnsound');
  });
});
