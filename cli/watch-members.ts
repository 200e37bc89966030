/** `lifeboat doctor --watch`: role, timeline and history of every member of a service, and whether there is one writer. */
import { type MembersResult, standingOf } from '../workflows/members.ts';
import { type Cli, connected, leave, type UsualOptions } from './cli.ts';
import { askWorkers } from './question.ts';

// It answers by itself when nothing has changed for some minutes.
const withinMs = 900_000;

export interface WatchOptions extends UsualOptions {
  /** One look, for machines. */
  once?: boolean;
}

/** Until Ctrl-C, or until two servers write: then the exit code says so, and nothing is repaired. */
export function watchMembers(cli: Cli, given: string | undefined, options: WatchOptions): Promise<void> {
  return connected(cli, options, async (engine) => {
    for (let known: string | undefined; ; ) {
      const found = await askWorkers(cli, engine, given, {
        type: 'members',
        name: 'members',
        input: known === undefined ? {} : { known },
        summary: 'How the members stand',
        withinMs,
        isAnswer: isMembers,
      });
      const now = standingOf(found);
      if (now !== known) cli.terminal.result(options.json ? JSON.stringify(found) : inWords(found));
      known = now;
      if (options.once || found.verdict === 'split')
        return leave(cli, found.verdict === 'well' ? 'good' : 'endedBadly');
    }
  });
}

function isMembers(value: unknown): value is MembersResult {
  return typeof value === 'object' && value !== null && 'members' in value && 'verdict' in value;
}

const verdicts: Record<MembersResult['verdict'], string> = {
  well: 'one primary, and all others are its standbys',
  unclear: 'NOT CERTAIN',
  split: 'SPLIT BRAIN: nothing is repaired by itself',
};

function inWords({ service, at, verdict, facts, members }: MembersResult): string {
  return [
    `${at}  ${service}: ${verdicts[verdict]}`,
    ...members.map(
      ({ host, site, role, timeline, lsn, history }) =>
        `  ${host.padEnd(12)} ${site.padEnd(8)} ${role.padEnd(8)} timeline ${String(timeline ?? '?').padEnd(4)} ${(lsn ?? '').padEnd(14)} history ${history?.slice(0, 12) ?? '-'}`,
    ),
    ...facts.map((fact) => `  ${fact}`),
  ].join('\n');
}
