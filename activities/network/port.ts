import { connect } from 'node:net';
import { formatDuration } from '../../evidence/format.ts';
import type { NetworkReads } from '../contract.ts';
import { whyNot } from './web.ts';

/** Milliseconds; a second packet is sent after one. */
const withinMs = 4_000;

export const portAnswers: NetworkReads['portAnswers'] = ({ host, port }) => {
  const place = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const expected = 'a connection';
  const began = performance.now();
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const say = (why: string, proposal: string) => {
      socket.destroy();
      resolve({ well: false, found: `${place} ${why}`, expected, proposal });
    };
    socket.setTimeout(withinMs, () =>
      say(
        `does not answer within ${formatDuration(withinMs)}`,
        'See whether the host is up, and whether a firewall between it and the control worker drops packets.',
      ),
    );
    socket.on('error', (error) =>
      say(
        whyNot(error),
        'See whether the program that should listen there runs, and listens on this address, and whether the plan names the right one.',
      ),
    );
    socket.on('connect', () => {
      socket.destroy();
      resolve({ well: true, found: `${place} answers after ${formatDuration(performance.now() - began)}`, expected });
    });
  });
};
