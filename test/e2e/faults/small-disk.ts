/** A disk of its own, small enough to be filled: a tmpfs, mounted where a restore will go. */
import { readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

export interface SmallDisk {
  directory: string;
  /** Another writer takes what there is, but for so many bytes. */
  fill(leave?: number): Promise<void>;
  /** The other writer gives it back. */
  drain(): Promise<void>;
  free(): Promise<number>;
  unmount(): Promise<void>;
}

/** @throws a sentence, where this user may not mount: such a test fails, it is not passed over */
export async function mountSmallDisk(
  directory: string,
  megabytes: number,
  owner: { uid: number; gid: number } | undefined,
): Promise<SmallDisk> {
  const own = owner === undefined ? [] : [`uid=${owner.uid}`, `gid=${owner.gid}`];
  const options = [`size=${megabytes}m`, 'mode=0700', ...own].join(',');
  const mounted = await execa('mount', ['-t', 'tmpfs', '-o', options, 'lifeboat-test', directory], { reject: false });
  if (mounted.exitCode !== 0)
    throw new Error(
      `this test needs a disk that it may fill, and mounting a small tmpfs on ${directory} was refused (${mounted.stderr}). Run it as root of the machine, or in a container with CAP_SYS_ADMIN.`,
    );
  const filler = join(directory, 'somebody-elses-file');
  const free = async () => {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  };
  return {
    directory,
    free,
    fill: async (leave = 0) => {
      // Others write at the same time: what is left is filled up again until nothing more fits.
      for (let tries = 0; tries < 50; tries += 1) {
        const surplus = (await free()) - leave;
        if (surplus <= 0) return;
        await writeFile(filler, Buffer.alloc(Math.min(surplus, 16 * 1024 * 1024), 1), { flag: 'a' }).catch(
          (error: NodeJS.ErrnoException) => {
            if (error.code !== 'ENOSPC') throw error;
          },
        );
      }
    },
    drain: () => rm(filler, { force: true }),
    unmount: async () => {
      const mounts = await readFile('/proc/mounts', 'utf8');
      if (mounts.includes(` ${directory} `)) await execa('umount', [directory]);
    },
  };
}
