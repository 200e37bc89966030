/** A disk of its own for a host: its live server, and what is restored beside it, share that one, for a rename cannot cross file systems. */
import { mkdir, rename, rm } from 'node:fs/promises';
import { execa } from 'execa';
import type { Host } from '../../../lab/layout.ts';
import { standbyStreams } from '../../../lab/postgres.ts';
import { type Scenario, until } from '../drill/scenario.ts';
import { mountSmallDisk, type SmallDisk } from '../faults/small-disk.ts';

/** Stands still while it moves. To unmount it ends what works there for good: the estate is taken down next. */
export async function giveDiskOfItsOwn({ estate }: Scenario, host: Host, megabytes: number): Promise<SmallDisk> {
  const { site } = estate;
  const { directory } = site.layout.host(host);
  const [worker, server] = [estate.process(`host-${host}`), estate.process(host)];
  await worker.stop();
  await server.stop(60_000);
  const before = `${directory}.before`;
  await rename(directory, before);
  await mkdir(directory);
  const disk = await mountSmallDisk(directory, megabytes, site.account.ids);
  await execa('cp', ['-a', `${before}/.`, directory]);
  await rm(before, { recursive: true });
  await server.start();
  await worker.start();
  await standbyStreams(site);
  return {
    ...disk,
    unmount: async () => {
      await worker.stop();
      await server.stop(60_000);
      await until(`nobody works in ${directory} any more`, async () => {
        await disk.unmount();
        return true;
      });
    },
  };
}
