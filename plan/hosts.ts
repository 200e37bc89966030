/** Hosts and secrets of a plan. Workflows use these: types and plain functions only. */
import type { Component, ComponentOf } from './components.ts';
import type { Member, Plan } from './schema.ts';

/** Where each host is reached, by its name: the address that the plan gives, else the name itself. */
export function addresses(plan: Pick<Plan, 'sites'>): Record<string, string> {
  return Object.fromEntries(
    Object.values(plan.sites).flatMap(({ hosts }) =>
      Array.isArray(hosts) ? hosts.map((host): [string, string] => [host, host]) : Object.entries(hosts),
    ),
  );
}

/** The database server on a host. */
export function member(plan: Pick<Plan, 'database'>, host: string): Member {
  const found = plan.database.members.find((candidate) => candidate.host === host);
  if (found !== undefined) return found;
  const known = plan.database.members.map((candidate) => candidate.host).join(', ');
  throw new RangeError(`no member of the database is on host ${host}: the plan has ${known}`);
}

/** The secrets that no run can do without, once: `${env:NAME}`, `${file:/path}`. Never their values. */
export function secretNames(plan: Plan): string[] {
  return [...new Set([plan.database.frontDoor.password, plan.evidence.accessKeyId, plan.evidence.secretAccessKey])];
}

/** Every secret that the plan names, once. Some are read on hosts alone; others, such as Slack's token, no recovery waits for. */
export function allSecretNames(plan: Plan): string[] {
  const { database } = plan;
  const { replication } = database;
  const rest = database.kind === 'patroni' ? database.rest : undefined;
  const { slack, status } = plan.people ?? {};
  const others = [replication?.password, rest?.password, slack?.token, status?.webhook].filter(
    (one) => one !== undefined,
  );
  const ofComponents = Object.values(plan.components ?? {}).flatMap(componentSecretNames);
  return [...new Set([...secretNames(plan), ...others, ...entrySecretNames(plan), ...ofComponents])];
}

function componentSecretNames(component: Component): string[] {
  switch (component.kind) {
    case 'redis-sentinel':
      return cacheSecretNames(component);
    case 'restic':
      // Read on the component's own host.
      return [component.password, component.accessKeyId, component.secretAccessKey];
    case 'systemd':
      return [];
  }
}

/** What a control worker needs to speak with a cache and its Sentinels. */
export function cacheSecretNames({ password, sentinelPassword }: ComponentOf<'redis-sentinel'>): string[] {
  return [password, sentinelPassword].filter((one) => one !== undefined);
}

/** What a control worker needs to move the entry of the service; empty where the plan has none. */
export function entrySecretNames({ entry }: Pick<Plan, 'entry'>): string[] {
  if (entry === undefined) return [];
  return entry.kind === 'dns-update' ? [entry.key.secret] : [entry.accessKeyId, entry.secretAccessKey];
}
