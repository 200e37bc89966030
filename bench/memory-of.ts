/** What a process takes of the machine's memory. */
import { readFile } from 'node:fs/promises';

/** Resident now, or at its peak; bytes. @see proc(5) */
export async function memoryOf(pid: number, what: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const [, kilobytes] = new RegExp(`^${what}:\\s+(\\d+) kB$`, 'm').exec(status) ?? [];
  if (kilobytes === undefined) throw new Error(`/proc/${pid}/status does not tell ${what}`);
  return Number(kilobytes) * 1024;
}
