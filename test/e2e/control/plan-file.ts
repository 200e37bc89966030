import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

interface Places {
  directory: string;
  service: string;
  port: number;
  user: string;
  passwordFile: string;
  pulseLog: string;
  keep?: string;
}

/** A plan that is right; only its front door and its pulse lead to something. */
export async function writePlan(places: Places): Promise<string> {
  const { directory, service, port, user, passwordFile, pulseLog, keep = '7d' } = places;
  const file = join(directory, `${service}.yaml`);
  await writeFile(
    file,
    `service: ${service}
objectives: { rto: 4h, rpo: 5m }
phases: { assessment: 15m, database: 45m, application: 60m, validation: 60m, traffic: 60m }
sites:
  east: { hosts: { db1: 127.0.0.1, db2: 127.0.0.1 } }
database:
  kind: standalone
  frontDoor: { host: 127.0.0.1, port: ${port}, database: orders, user: ${user}, password: '\${file:${passwordFile}}' }
  members:
    - { host: db1, port: ${port}, dataDirectory: /var/lib/postgresql/15/main }
  criticalTables: [orders]
backups:
  physical:
    kind: pgbackrest
    stanza: orders
    config: /etc/pgbackrest/pgbackrest.conf
    full: daily 02:00 UTC
    archiveTimeout: 30s
application:
  kind: command
  smoke: { command: [/usr/local/bin/orders-smoke], within: 1m }
traffic: { kind: haproxy, socket: /run/haproxy/admin.sock, backend: postgres }
pulse: { log: ${pulseLog}, keep: ${keep} }
evidence:
  kind: s3
  endpoint: https://localhost:1
  region: us-east-1
  bucket: evidence
  accessKeyId: \${env:EVIDENCE_KEY}
  secretAccessKey: \${env:EVIDENCE_SECRET}
  directory: ${directory}/runs
drills:
  monthly: { schedule: first Saturday 02:00 UTC, host: db2, directory: /var/lib/lifeboat/scratch }
`,
  );
  return file;
}
