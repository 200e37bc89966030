/** A primary and its standbys that Patroni keeps: each server is asked itself; where Patroni says otherwise, that is told with it. */
import type { PatroniDatabase } from '../../plan/schema.ts';
import type { MemberState } from '../shapes.ts';
import type { ClusterKind } from './kind.ts';
import { patroniState } from './patroni/state.ts';

export const patroni: ClusterKind<PatroniDatabase> = {
  async members(database, addresses) {
    const { members, contradictions, paused } = await patroniState({ database, addresses });
    return members.map(({ host, server, own, tags, why }): MemberState => {
      const notes = [
        ...(server.why === undefined ? [] : [server.why]),
        ...(own === undefined ? [`Patroni does not answer: ${why ?? 'no answer'}`] : []),
        ...contradictions.filter((one) => one.includes(host)),
        ...(tags.nofailover ? ['tag nofailover'] : []),
        ...(paused && server.role === 'primary' ? ['Patroni is paused'] : []),
      ];
      return { host, ...server, ...(notes.length === 0 ? {} : { why: notes.join('; ') }) };
    });
  },
};
