/** What a service is made of besides its database: applications, caches, files. Each is one of a kind, and stands on others. */
import { z } from 'zod';
import { redisSentinel } from './components/redis-sentinel.ts';
import { restic } from './components/restic.ts';
import { systemd } from './components/systemd.ts';
import { name } from './values.ts';

const component = z.discriminatedUnion(
  'kind',
  [systemd, redisSentinel, restic],
  'not a kind of component that Lifeboat knows: write systemd, redis-sentinel or restic',
);

export const componentsSchema = z
  .record(name, component)
  .describe('What the service is made of besides its database; brought back in the order of what stands on what');

export type Component = z.output<typeof component>;
export type ComponentKind = Component['kind'];
export type ComponentOf<K extends ComponentKind> = Extract<Component, { kind: K }>;
export type Components = Record<string, Component>;
