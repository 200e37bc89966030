/** Files that restic keeps come back: restored beside, compared, put in their place by renames, taken up by what runs on them. */
import { isCancellation } from '@temporalio/workflow';
import type { Differing, FilesReads, LivePlace } from '../../../activities/contract.ts';
import type { Found } from '../../../activities/shapes.ts';
import type { FailureType } from '../../../evidence/failures.ts';
import { formatBytes, formatDuration } from '../../../evidence/format.ts';
import type { Subject } from '../../../evidence/people.ts';
import type { ComponentOf } from '../../../plan/components.ts';
import { shortId } from '../../../recovery/snapshots.ts';
import { failureOf } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import { scratchName } from '../scratch-name.ts';
import type { Bring, Standing } from './component.ts';

export type Files = ComponentOf<'restic'>;
export type Look = Awaited<ReturnType<FilesReads['filesLook']>>;

/** Files of the plan, by the component's name. */
export interface NamedFiles {
  name: string;
  component: Files;
}

/** What was restored beside, and differs. */
export interface Differences extends Found {
  places: (Differing & { path: string })[];
  first: string[];
  list: string;
  seen: string;
}

/** What stands in the way of a repository, and not of files that are all there. */
const ofRepository: readonly FailureType[] = [
  'KeyLost',
  'BackupMissing',
  'BackupCorrupt',
  'BackupFailed',
  'StoreUnreachable',
  'StoreRefused',
  'SecretMissing',
];

/** In a recovery of the whole service: files that are all there stay, whatever differs. */
export const restic: Bring<Files> = (run, named) => {
  let look: Look | undefined;
  return {
    async look() {
      const { standing, seen } = await stand(run, named);
      look = seen;
      return standing;
    },
    async bringBack() {
      look ??= await lookAt(run, named);
      await restoreBeside(run, named, look);
      const differences = await compare(run, named);
      await putInPlace(run, named, look, differences);
      await tidy(run, named);
    },
  };
};

/** A repository that cannot be used hinders nobody whose files are all there; it is told. */
async function stand(run: Run, named: NamedFiles): Promise<{ standing: Standing; seen?: Look }> {
  const { component: files } = named;
  const host = run.host(files.host);
  try {
    const seen = await host.filesLook({ files });
    return { standing: standingOf({ ...seen, found: `${seen.found}${tooOld(files, seen)}` }), seen };
  } catch (error) {
    const { type, message } = failureOf(error);
    if (isCancellation(error) || !ofRepository.some((one) => one === type)) throw error;
    const here = await host.filesHere({ files });
    const standing = standingOf(here);
    if (!standing.healthy) throw error;
    return { standing: { ...standing, found: `${here.found}; but nothing could bring them back: ${message}` } };
  }
}

function standingOf({ places, found, expected }: Found & { places: readonly LivePlace[] }): Standing {
  const healthy = places.every(({ state }) => state === 'there');
  return { healthy, found, ...(expected === undefined ? {} : { expected }) };
}

/** @param wanted a snapshot, or a moment; the newest when absent */
export function lookAt(run: Run, { name, component: files }: NamedFiles, wanted?: string): Promise<Look> {
  return run.check(`The files of ${name} can come back`, async () => {
    const look = await run.host(files.host).filesLook({ files, ...(wanted === undefined ? {} : { wanted }) });
    const lying =
      look.lying.length === 0 ? '' : `. Beside them lies what other runs have left: ${look.lying.join(', ')}`;
    return { ...look, found: `${look.found}${tooOld(files, look)}${lying}` };
  });
}

function tooOld({ newestWithin }: Files, { ageMs }: Look): string {
  return ageMs <= newestWithin
    ? ''
    : `. It is older than the ${formatDuration(newestWithin)} that the plan allows: what was changed since does not come back`;
}

export async function restoreBeside(run: Run, { name, component: files }: NamedFiles, look: Look): Promise<void> {
  const beside = { files, run: scratchName() };
  const bytes = look.places.reduce((sum, one) => sum + one.bytes, 0);
  await run.change(`Restore the files of ${name} beside`, {
    preview: async () => ({
      will: `restore ${files.paths.join(', ')} (${formatBytes(bytes)}) of snapshot ${shortId(look.snapshot.id)} of ${look.snapshot.time} beside, on ${files.host}; nothing that serves is touched`,
      yields: undefined,
    }),
    apply: async () => {
      const restored = await run.host(files.host).restoreFiles({ ...beside, snapshot: look.snapshot.id });
      run.measure(`bytes restored of ${name}`, restored.bytes, 'bytes', 'from the listing of the snapshot');
      return restored;
    },
    undo: () => run.host(files.host).removeRestored(beside),
  });
}

/** Undefined in a dry run: what its assessment has listed is all that can be told then. */
export function compare(run: Run, named: NamedFiles): Promise<Differences | undefined> {
  return run.prove(`What would change in ${named.name} is known`, () => differencesNow(run, named));
}

export function differencesNow(run: Run, { component: files }: NamedFiles): Promise<Differences> {
  return run.host(files.host).filesDifferences({ files, run: scratchName() });
}

/** What does not serve with the new files gets the old ones back at once: nobody has to be asked for that. */
export async function putInPlace(
  run: Run,
  { name, component: files }: NamedFiles,
  look: Look,
  differences: Differences | undefined,
): Promise<void> {
  const beside = { files, run: scratchName() };
  const host = run.host(files.host);
  await run.change(`Put the files of ${name} in their place`, {
    preview: async () => ({
      will: `set ${files.paths.join(', ')} on ${files.host} aside as *.before-${beside.run}, and put what was restored there${tests(files)}`,
      yields: undefined,
    }),
    apply: async () => {
      const replaced = await host.replaceFiles({ ...beside, seen: differences?.seen ?? '' });
      try {
        const taken = await host.takeUpFiles({ files });
        return { ...replaced, found: `${replaced.found}; ${taken.found}` };
      } catch (error) {
        // Then the undo does it.
        if (isCancellation(error)) throw error;
        await host.giveFilesBack(beside);
        throw error;
      }
    },
    undo: () => host.giveFilesBack(beside),
  });
  await run.prove(`The files of ${name} are what was restored`, () =>
    host.filesAre({ files, snapshot: look.snapshot.id }),
  );
}

function tests({ inUse }: Files): string {
  return inUse === undefined
    ? ''
    : `; then ${inUse.test.join(' ')}, ${inUse.reload.join(' ')}, and ${inUse.healthy.url} must answer ${inUse.healthy.status}: else the old ones come back at once`;
}

/** The last step for a component: what was set aside stays with it. */
export async function tidy(run: Run, { name, component: files }: NamedFiles): Promise<void> {
  await run.change(`Remove what was made beside ${name}`, {
    preview: async () => ({
      will: `remove the folders in which the files of ${name} were restored; what was set aside stays until somebody removes it`,
      yields: undefined,
    }),
    apply: () => run.host(files.host).tidyFiles({ files, run: scratchName() }),
    undo: { undoneWith: `Put the files of ${name} in their place` },
    skip: { yields: undefined },
  });
}

/** What people are shown before files are replaced: names and counts, and never what stands in them. */
export function factsToApprove(
  named: NamedFiles,
  look: Look,
  { places, first, list }: Differences,
): { subject: Subject; shown: Subject } {
  const { name, component: files } = named;
  const total = places.reduce((sum, { added, changed, removed }) => sum + added + changed + removed, 0);
  const more = total > first.length ? `, and ${total - first.length} more` : '';
  return {
    subject: {
      component: `${name} on ${files.host}`,
      snapshot: `${shortId(look.snapshot.id)} of ${look.snapshot.time}`,
      ...Object.fromEntries(places.map((one) => [one.path, counts(one)])),
      names: total === 0 ? 'none' : `${first.join(', ')}${more}`,
    },
    shown: {
      'all names': `${files.host}: ${list}`,
      'kept aside': `${files.paths.map((path) => `${path}.before-${scratchName()}`).join(', ')}`,
      'can be undone': 'until the run has ended; afterwards by renaming what was kept aside back',
      'what happens next':
        files.inUse === undefined
          ? 'the files are replaced by renames'
          : `the files are replaced by renames${tests(files)}`,
    },
  };
}

function counts({ added, changed, removed }: Differing): string {
  return `${added} come, ${changed} become another, ${removed} go`;
}
