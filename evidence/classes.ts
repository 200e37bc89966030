/** Promises for classes of data, held against what was measured: a recovery brings all data back at once, to one moment. */
import type { Evidence, Measured } from './evidence.ts';

export interface ClassVerdict extends Measured {
  name: string;
  tables: string[];
  objectiveMs: number;
}

/** What the classes promise of one measurement, each held against the value that is the same for all. */
export function classVerdicts({ objectives, rto, rpo }: Evidence, of: 'rto' | 'rpo'): ClassVerdict[] {
  const measured = of === 'rto' ? rto : rpo;
  return (objectives.classes ?? []).flatMap(({ name, tables, rtoMs, rpoMs }) => {
    const objectiveMs = of === 'rto' ? rtoMs : rpoMs;
    return objectiveMs === undefined ? [] : [{ ...measured, name, tables, objectiveMs }];
  });
}

/** Whether something was measured and is worse than promised. */
export function beyond({ valueMs, objectiveMs }: Measured): boolean {
  return valueMs !== undefined && objectiveMs !== undefined && valueMs > objectiveMs;
}

/** By how much a promise was missed, milliseconds; 0 when it was kept, or nothing was measured. */
export function beyondMs(measured: Measured): number {
  return beyond(measured) ? (measured.valueMs ?? 0) - (measured.objectiveMs ?? 0) : 0;
}

/** Whether the service's promise, or that for one of its classes of data, was missed. */
export function anyBeyond(evidence: Evidence, of: 'rto' | 'rpo'): boolean {
  return beyond(evidence[of]) || classVerdicts(evidence, of).some(beyond);
}

/** The most that any promise was missed by; `name` is that of a class, or absent for the service itself. */
export function worstMiss(evidence: Evidence, of: 'rto' | 'rpo'): { byMs: number; name?: string } {
  const misses = classVerdicts(evidence, of).map((verdict) => ({ byMs: beyondMs(verdict), name: verdict.name }));
  const own: { byMs: number; name?: string } = { byMs: beyondMs(evidence[of]) };
  return misses.reduce((worst, miss) => (miss.byMs > worst.byMs ? miss : worst), own);
}
