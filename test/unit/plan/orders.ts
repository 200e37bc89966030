/** A plan that is right, and what becomes of it when one thing is wrong. */
import { loadPlanText } from '../../../plan/load.ts';
import { PlanProblems } from '../../../plan/problems.ts';

export const orders = `service: orders
objectives:
  rto: 4h
  rpo: 5m
  runbooks:
    monthly-drill: { rto: 1h }
  dataClasses:
    money: { rpo: 1m, tables: [payments] }
phases:
  assessment: 15m
  database: 45m
  application: 60m
  validation: 60m
  traffic: 60m
sites:
  east: { hosts: { db1: 10.0.0.1, db2: 10.0.0.2 } }
database:
  kind: standalone
  frontDoor:
    host: db.orders.internal
    port: 5432
    database: orders
    user: orders
    password: \${file:/etc/lifeboat/orders.password}
  members:
    - { host: db1, port: 5432, dataDirectory: /var/lib/postgresql/15/main }
    - { host: db2, port: 5432, dataDirectory: /var/lib/postgresql/15/main }
  criticalTables: [orders, payments]
  assertions:
    - { name: Balances sum up, sql: select sum(balance) from accounts, expect: 0 }
backups:
  physical:
    kind: pgbackrest
    stanza: orders
    config: /etc/pgbackrest/pgbackrest.conf
    full: daily 02:00 UTC
    incremental: every 6h
    archiveTimeout: 30s
application:
  kind: command
  smoke: { command: [/usr/local/bin/orders-smoke], within: 1m }
traffic: { kind: haproxy, socket: /run/haproxy/admin.sock, backend: postgres }
pulse: { log: /var/lib/lifeboat/pulse }
evidence:
  kind: s3
  endpoint: https://s3.example.com
  region: eu-central-1
  bucket: evidence
  accessKeyId: \${env:EVIDENCE_KEY}
  secretAccessKey: \${env:EVIDENCE_SECRET}
  directory: /var/lib/lifeboat/runs
drills:
  monthly: { schedule: first Saturday 02:00 UTC, host: db2, directory: /var/lib/lifeboat/scratch }
`;

/** The right plan with one text replaced by another; it must be there, so that a test cannot pass by mistake. */
export function ordersWith(...changes: [from: string, to: string][]): string {
  return changes.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`the plan has no "${from}"`);
    return text.replace(from, () => to);
  }, orders);
}

/** Every problem of a plan, as it is printed; empty when it is right. */
export function problemsOf(text: string): string[] {
  try {
    loadPlanText(text, 'orders.yaml');
    return [];
  } catch (error) {
    if (error instanceof PlanProblems) return error.message.split('\n');
    throw error;
  }
}
