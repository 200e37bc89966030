/** The plan's schema for editors, which complete keys and show what they mean. */
import { z } from 'zod';
import { planSchema } from './schema.ts';

export type JsonSchema = z.core.JSONSchema.BaseSchema;

export function planJsonSchema(): JsonSchema {
  return {
    ...z.toJSONSchema(planSchema, { io: 'input' }),
    title: 'Lifeboat plan',
    description: 'One service: what it promises, where it runs, how it is backed up and how it is recovered',
  };
}

/** The file as it is committed beside the examples. */
export function planJsonSchemaText(): string {
  return `${JSON.stringify(planJsonSchema(), undefined, 2)}\n`;
}
