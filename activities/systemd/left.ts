import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where systemd keeps its groups: by version 2 of the kernel's, and by version 1. */
const roots = ['/sys/fs/cgroup', '/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified'];

/** How many processes of a unit outlive it: a unit says that it is stopped, and with KillMode=process what it has started goes on. */
export async function processesLeft(controlGroup: string | undefined): Promise<number> {
  if (controlGroup === undefined || controlGroup === '') return 0;
  const counts = await Promise.all(
    roots.map(async (root) => {
      const text = await readFile(join(root, controlGroup, 'cgroup.procs'), 'utf8').catch(() => '');
      return text.split('\n').filter((line) => line !== '').length;
    }),
  );
  return Math.max(...counts);
}
