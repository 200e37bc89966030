import { hostname, userInfo } from 'node:os';

/** Who asks: `ana@laptop`. A claim, not a proof. */
export function requester(environment: Record<string, string | undefined>): string {
  return `${environment.USER || environment.LOGNAME || accountName()}@${hostname()}`;
}

function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    // Containers run under numbers that no account has.
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}
