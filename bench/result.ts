/** What a run of the bench found: the shape of the file that `--json` writes, described in docs/bench.md. */
import { z } from 'zod';

export const parts = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l'] as const;
export type PartLetter = (typeof parts)[number];

const row = z.strictObject({
  part: z.enum(parts),
  /** `restore to target, pgBackRest with defaults` */
  name: z.string(),
  unit: z.enum(['ms', 'orders/s', 'bytes', 'events', 'runs', 'ratio']),
  /** One for each round, in their order. */
  samples: z.array(z.number()),
  median: z.number(),
});
export type Row = z.output<typeof row>;

const goal = z.strictObject({
  part: z.enum(parts),
  /** `Lifeboat / pgBackRest with defaults` */
  name: z.string(),
  unit: z.enum(['ratio', 'ms']),
  value: z.number(),
  /** Met when the value is at most, or at least, this. */
  limit: z.number(),
  direction: z.enum(['at most', 'at least']),
  met: z.boolean(),
});
export type Goal = z.output<typeof goal>;

const machine = z.strictObject({
  cores: z.number(),
  processor: z.string(),
  memoryBytes: z.number(),
  /** `solid state`, `rotating`, `memory`, `virtual`: as the kernel says of the device below the bench's folder. */
  disk: z.string(),
  system: z.string(),
  /** Name to version: postgresql, pgbackrest, temporal, node, lifeboat. */
  versions: z.record(z.string(), z.string()),
});
export type Machine = z.output<typeof machine>;

const ground = z.strictObject({
  orders: z.number(),
  /** Restored size of the backup. */
  backupBytes: z.number(),
  /** WAL segments between the end of the backup and the target. */
  segments: z.number(),
  segmentBytes: z.number(),
});
export type BackupGround = z.output<typeof ground>;

export const resultSchema = z.strictObject({
  schema: z.literal('lifeboat-bench/1'),
  startedAt: z.iso.datetime(),
  tookMs: z.number(),
  rounds: z.number(),
  machine,
  /** Of the parts that stand on a backup; absent when none of them was measured. */
  ground: ground.optional(),
  rows: z.array(row),
  goals: z.array(goal),
  /** Parts that could not be measured, and why; those that could are told all the same. */
  failed: z.array(z.string()).optional(),
});
export type Result = z.output<typeof resultSchema>;

/** Rows and goals of one part. */
export interface Findings {
  rows: Row[];
  goals: Goal[];
  /** Parts that could not be measured, and why. */
  failed?: string[];
}
