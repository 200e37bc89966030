import { randomInt } from 'node:crypto';
import { connect, createServer, type Server } from 'node:net';

/** A port that nobody else can take until `release`, which is called right before its process starts. */
export interface Port {
  readonly number: number;
  release(): Promise<void>;
}

/** Below 32768, where the kernel begins to hand out ports for outgoing connections: those could take ours while its process restarts. */
const lowest = 20_000;
const highest = 32_000;

/** Reserves a free loopback port, the preferred one when it is free. */
export async function reservePort(preferred?: number): Promise<Port> {
  if (preferred !== undefined) {
    const held = await hold(preferred);
    if (held !== undefined) return held;
  }
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const held = await hold(randomInt(lowest, highest));
    if (held !== undefined) return held;
  }
  throw new Error(`no free port found between ${lowest} and ${highest} in 200 tries: end what listens there`);
}

function hold(number: number): Promise<Port | undefined> {
  return new Promise((resolve) => {
    // Somebody may come before the process that it is kept for; held, their connection would keep the listener from closing.
    const listener = createServer((early) => early.destroy());
    listener.unref();
    listener.once('error', () => resolve(undefined));
    listener.listen({ port: number, host: '127.0.0.1', exclusive: true }, () =>
      resolve({ number, release: () => close(listener) }),
    );
  });
}

function close(listener: Server): Promise<void> {
  return new Promise((resolve) => {
    // A listener that is closed already answers as well, with an error that is not one here.
    listener.close(() => resolve());
  });
}

/** Whether somebody accepts connections on the loopback port. */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const answer = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
    socket.setTimeout(1_000, () => answer(false));
  });
}
