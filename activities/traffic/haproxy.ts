/** HAProxy, asked through its runtime socket. @see HAProxy Management Guide, 9.3 "Unix Socket commands" */
import { closeAll, openOne, releaseOne } from './haproxy-door.ts';
import { backends } from './haproxy-statistics.ts';
import type { TrafficKind } from './kind.ts';

export const haproxy: TrafficKind = {
  backends,
  movesTo(traffic, server, backends) {
    const name = (one: string) => `${traffic.backend}/${one}`;
    // Maintenance alone leaves open TCP sessions flowing: they are closed, or they would go on writing to the old server.
    const stop = backends
      .filter((one) => one.server !== server && one.state !== 'MAINT')
      .flatMap((one) => [`set server ${name(one.server)} state maint`, `shutdown sessions server ${name(one.server)}`]);
    return [...stop, `set server ${name(server)} state ready`];
  },
  close: closeAll,
  open: openOne,
  release: releaseOne,
};
