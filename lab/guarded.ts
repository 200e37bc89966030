import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { childEnvironment } from './environment.ts';
import { packageRoot } from './home.ts';

export interface Guard {
  /** The estate is gone: nothing is left to be done. */
  release(): Promise<void>;
}

/** Starts the process that ends the estate when this one dies. The pipe to it is not inherited by anybody else. */
export async function startGuard(root: string): Promise<Guard> {
  const guard = spawn(process.execPath, [join(packageRoot, 'dist', 'lab', 'guard.js')], {
    cwd: '/',
    // A Ctrl-C is for the owner, who takes the estate down in order.
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
    env: childEnvironment({}),
  });
  await once(guard, 'spawn');
  const over = once(guard, 'exit');
  const { stdin } = guard;
  stdin.on('error', () => undefined);
  stdin.write(`${root}\n`);
  // Neither keeps an owner that has ended its work from ending.
  guard.unref();
  if ('unref' in stdin && typeof stdin.unref === 'function') stdin.unref();
  return {
    release: async () => {
      guard.ref();
      stdin.end('released\n');
      await over;
    },
  };
}
