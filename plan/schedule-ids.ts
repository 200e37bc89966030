/** What schedules are called on the Temporal server: `lifeboat/orders/full-backup`. */
import type { ScheduledName } from './schedule-entries.ts';

export function scheduleId(service: string, name: ScheduledName): string {
  return `lifeboat/${service}/${name}`;
}

/** What an id of ours stands for, also with a name of another version; `undefined` for other people's. */
export function scheduleOfId(id: string): { service: string; name: string } | undefined {
  const [, service, name] = /^lifeboat\/([^/]+)\/([^/]+)$/.exec(id) ?? [];
  return service === undefined || name === undefined ? undefined : { service, name };
}
