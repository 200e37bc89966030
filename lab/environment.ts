import type { Account } from './account.ts';

/** A setting that the process cannot do without. */
export function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`the environment variable ${name} is not set`);
  return value;
}

/** Settings of the caller's own databases, stores and engines: they must not lead a part of the lab astray. */
const foreign = /^(PG|PGBACKREST_|TEMPORAL_|LIFEBOAT_|LAB_|AWS_|NODE_OPTIONS)/;

/** The lab knows which Node it runs on: the SDK need not say in every log that a later one will be wanted. */
const quiet = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };

/** The caller's environment without what could disturb, for a process of the estate. */
export function childEnvironment(own: Record<string, string>, account?: Account): Record<string, string> {
  const inherited = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined || foreign.test(name) ? [] : [[name, value] as const],
  );
  // Another user cannot look into the caller's home.
  const home: Record<string, string> = account?.ids
    ? { HOME: '/nonexistent', USER: account.name, LOGNAME: account.name }
    : {};
  return { ...Object.fromEntries(inherited), ...quiet, ...home, ...own };
}
