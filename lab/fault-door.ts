/** The door of the fault proxy: what becomes of a connection before anything is asked over it. */
import type { Server as TlsServer } from 'node:https';
import { createServer, type Server, type Socket } from 'node:net';
import type { Door } from './faults.ts';

export interface Certificate {
  cert: Buffer;
  key: Buffer;
}

export interface FaultDoor {
  server: Server;
  turn(to: Door): void;
}

/** @param inside gets the connections that come through */
export function faultDoor(
  inside: TlsServer,
  shown: Record<Extract<Door, 'open' | 'stranger' | 'expired'>, Certificate>,
): FaultDoor {
  const connections = new Set<Socket>();
  let door: Door = 'open';
  const server = createServer((socket) => {
    connections.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => connections.delete(socket));
    if (door === 'silent') return;
    if (door === 'closing') return void socket.destroy();
    if (door === 'plain') return void socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n');
    inside.emit('connection', socket);
  });
  return {
    server,
    turn: (to) => {
      door = to;
      inside.setSecureContext(to === 'stranger' || to === 'expired' ? shown[to] : shown.open);
      for (const one of connections) one.destroy();
    },
  };
}
