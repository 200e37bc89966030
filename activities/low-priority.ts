import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/** As `nice` without a number. */
const niceness = 10;

/**
 * Lets everybody else on the host have the processors first: a drill may take longer, but the service beside it must not feel it. What
 * the process starts inherits it, so it is called at once after the start. A host that refuses is served as before.
 */
export function yieldProcessors(pid: number): void {
  // Where sessions are scheduled as groups, a niceness counts only within its own; the group has one too.
  for (const lower of [
    () => setPriority(pid, niceness),
    () => writeFileSync(`/proc/${pid}/autogroup`, String(niceness)),
  ])
    try {
      lower();
    } catch {
      // Ended already, or not allowed here.
    }
}
