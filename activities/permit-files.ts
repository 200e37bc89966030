/**
 * Whether a component's files may be read, restored and replaced on this host: the very paths, into and out of the very repository, with the
 * very commands. Whoever can start a workflow could else have any file of the host written into a store of his own.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Files } from './contract-of-files.ts';
import { failure } from './failure.ts';
import { loadPermit, type Permit, realPlace } from './permit.ts';

/** @throws NotPermitted names the line that an administrator would add */
export async function permitFiles(files: Files): Promise<Permit> {
  const permit = await loadPermit();
  for (const path of [...files.paths, ...(files.inUse?.workers === undefined ? [] : [files.inUse.workers])])
    await refuseDetour(path, permit);
  if (permit.files.some((entry) => permits(entry, files))) return permit;
  throw failure(
    'NotPermitted',
    `${files.paths.join(', ')} with the repository ${files.repository} ${files.paths.length === 1 ? 'is' : 'are'} not permitted by ${permit.file}. If it is meant, an administrator of ${files.host} adds the line "- ${lineFor(files)}" under "files:" there.`,
  );
}

function permits(entry: Permit['files'][number], { paths, repository, inUse }: Files): boolean {
  return (
    entry.repository === repository &&
    paths.every((path) => entry.paths.includes(path)) &&
    (inUse === undefined ||
      (isDeepStrictEqual(entry.test, inUse.test) &&
        isDeepStrictEqual(entry.reload, inUse.reload) &&
        entry.workers === inUse.workers))
  );
}

/** restic would back the link up and not what it leads to; a rename would replace the link; and whoever owns a link decides where it leads. */
async function refuseDetour(path: string, permit: Permit): Promise<void> {
  const real = await realPlace(path, permit);
  if (real === path) return;
  throw failure(
    'NotPermitted',
    `${path} is a link, or lies behind one: it leads to ${real}. Write that place into the plan and into ${permit.file}, or put the directory itself there.`,
  );
}

function lineFor({ paths, repository, inUse }: Files): string {
  const { test, reload, workers } = inUse ?? {};
  // JSON is YAML.
  return JSON.stringify({ paths, repository, test, reload, workers });
}
