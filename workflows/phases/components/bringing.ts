/** The one table of kinds: what brings each of them back. */
import type { Component, ComponentKind, ComponentOf } from '../../../plan/components.ts';
import type { Run } from '../../runbook/run.ts';
import type { Bring, BringingBack } from './component.ts';
import { bringRedisSentinel } from './redis-sentinel.ts';
import { restic } from './restic.ts';
import { systemd } from './systemd.ts';

const kinds: { [K in ComponentKind]: Bring<ComponentOf<K>> } = {
  'redis-sentinel': bringRedisSentinel,
  restic,
  systemd,
};

export function bringing(run: Run, { name, component }: { name: string; component: Component }): BringingBack {
  // Kind and component belong together, which an index by a union cannot say.
  const bring = kinds[component.kind] as Bring;
  return bring(run, { name, component });
}
