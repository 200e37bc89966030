/** Whether the members of a cluster may be replaced by restored ones: what each says of itself. Pure. */
import type { Candidate } from './switchover.ts';

type Facts = Pick<Candidate, 'host' | 'systemIdentifier' | 'serverVersion' | 'archiver'>;

const major = ({ serverVersion }: Facts): number => Math.floor(serverVersion / 10_000);

/** What speaks against it, one sentence each, with what to do about it; empty when nothing does. A standby may lag or hang: it is replaced. */
export function againstReplacement(primary: Facts, standbys: readonly Facts[]): string[] {
  return [
    ...(primary.archiver.failing === undefined
      ? []
      : [
          `${primary.host} cannot archive (it fails with ${primary.archiver.failing}), so that what it has written last would not be kept: mend that first`,
        ]),
    ...standbys.flatMap((standby) => [
      ...(standby.systemIdentifier === primary.systemIdentifier
        ? []
        : [
            `${standby.host} is of cluster ${standby.systemIdentifier}, ${primary.host} of ${primary.systemIdentifier}: correct database.members in the plan`,
          ]),
      ...(major(standby) === major(primary)
        ? []
        : [`${standby.host} runs PostgreSQL ${major(standby)}, ${primary.host} ${major(primary)}`]),
    ]),
  ];
}
