/** An entry in a hosted zone of Amazon Route 53. @see Amazon Route 53 API Reference, ChangeResourceRecordSets and GetChange */
import {
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  InvalidChangeBatch,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  Route53Client,
} from '@aws-sdk/client-route-53';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Route53Entry } from '../../plan/entry.ts';
import { entryValue, sameName } from '../../plan/entry-value.ts';
import type { EntryRecord } from '../contract.ts';
import { failure, finalFailure } from '../failure.ts';
import { pause } from '../heartbeat.ts';
import { resolveSecret } from '../secrets.ts';
import type { EntryKind, RecordSet, Refusal } from './kind.ts';
import { route53Failure } from './route53-failure.ts';

// Milliseconds. An account may ask five times a second, all its users together.
const connectMs = 3_000;
const answerMs = 10_000;
const attempts = 3;
const lookEveryMs = 1_000;
/** Usually it takes less than a minute. */
const settlesWithinMs = 5 * 60_000;

export async function route53(entry: Route53Entry): Promise<EntryKind> {
  const client = await connect(entry);
  /** Of the change that this work has made. */
  let change: string | undefined;
  const asked = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw route53Failure(error, entry);
    }
  };
  const replace = (before: EntryRecord, after: EntryRecord) =>
    asked(async () => {
      const { id, refusal } = await swap(client, entry, before, after);
      change = id ?? change;
      return refusal;
    });
  return {
    read: () => asked(() => read(client, entry)),
    replace,
    // No record has two TTLs: the one that there is cannot be deleted by another.
    rehearse: async (record) => void (await replace({ ...record, ttlSeconds: record.ttlSeconds + 1 }, record)),
    settle: async (record) => {
      // Made by an attempt before this one, whose id is lost: a change that changes nothing is carried out after it.
      if (change === undefined) await replace(record, record);
      if (change === undefined) return 'it was changed by somebody else meanwhile';
      await asked(() => inSync(client, entry, change ?? ''));
      return `the change ${change} has reached all name servers of Route 53 (INSYNC)`;
    },
    close: () => client.destroy(),
  };
}

async function connect(entry: Route53Entry): Promise<Route53Client> {
  const [accessKeyId, secretAccessKey] = await Promise.all([
    resolveSecret(entry.accessKeyId),
    resolveSecret(entry.secretAccessKey),
  ]);
  return new Route53Client({
    region: entry.region,
    ...(entry.endpoint === undefined ? {} : { endpoint: entry.endpoint }),
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: attempts,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: connectMs,
      requestTimeout: answerMs,
      throwOnRequestTimeout: true,
      socketTimeout: answerMs,
    }),
  });
}

async function read(client: Route53Client, entry: Route53Entry): Promise<RecordSet | undefined> {
  const { ResourceRecordSets: listed = [] } = await client.send(
    new ListResourceRecordSetsCommand({ HostedZoneId: entry.zoneId, StartRecordName: entry.name }),
  );
  const here = listed.filter(({ Name }) => sameName(Name ?? '') === sameName(entry.name));
  const own = here.filter(({ Type }) => Type === entry.type);
  const alias = here.find(({ Type }) => Type === 'CNAME');
  const [set] = own;
  if (set === undefined && alias !== undefined) throw unfit(entry, 'is a CNAME');
  if (set === undefined) return undefined;
  const special = own.map(policyOf).find((policy) => policy !== undefined);
  if (special !== undefined) throw unfit(entry, special);
  return {
    values: (set.ResourceRecords ?? []).map(({ Value = '' }) => entryValue(entry.type, Value) ?? Value).sort(),
    ttlSeconds: set.TTL ?? 0,
  };
}

/** What makes a record more than one value that everybody gets. */
function policyOf(set: ResourceRecordSet): string | undefined {
  if (set.AliasTarget !== undefined) return `is an alias of ${set.AliasTarget.DNSName}`;
  if (set.TrafficPolicyInstanceId !== undefined) return 'belongs to a traffic policy';
  if (set.SetIdentifier === undefined && set.HealthCheckId === undefined) return undefined;
  const ways: [there: unknown, words: string][] = [
    [set.Weight, 'is weighted'],
    [set.Failover, 'is routed by failover'],
    [set.Region, 'is routed by latency'],
    [set.GeoLocation ?? set.GeoProximityLocation, 'is routed by location'],
    [set.CidrRoutingConfig, 'is routed by network'],
    [set.MultiValueAnswer, 'is one of several answers'],
  ];
  const words = ways.find(([there]) => there !== undefined)?.[1] ?? 'has a routing policy or a health check';
  return `${words} (set "${set.SetIdentifier ?? 'without a name'}")`;
}

function unfit({ name, type }: Route53Entry, what: string): Error {
  return failure(
    'EntryUnfit',
    `${name} ${what}, expected one simple record of type ${type}: Route 53 itself would decide where clients go. Replace it by a simple record, or correct entry in the plan.`,
  );
}

/**
 * Both in one batch, of which Route 53 does all or nothing, and refuses to delete what is not exactly so. An UPSERT would overwrite what
 * somebody else has written.
 */
async function swap(
  client: Route53Client,
  entry: Route53Entry,
  before: EntryRecord,
  after: EntryRecord,
): Promise<{ id?: string | undefined; refusal?: Refusal }> {
  const set = ({ value, ttlSeconds }: EntryRecord): ResourceRecordSet => ({
    Name: entry.name,
    Type: entry.type,
    TTL: ttlSeconds,
    ResourceRecords: [{ Value: value }],
  });
  try {
    const { ChangeInfo } = await client.send(
      new ChangeResourceRecordSetsCommand({
        HostedZoneId: entry.zoneId,
        ChangeBatch: {
          Comment: 'Lifeboat leads the service to the site that serves',
          Changes: [
            { Action: 'DELETE', ResourceRecordSet: set(before) },
            { Action: 'CREATE', ResourceRecordSet: set(after) },
          ],
        },
      }),
    );
    return { id: ChangeInfo?.Id };
  } catch (error) {
    if (error instanceof InvalidChangeBatch)
      return { refusal: { why: ((error.messages ?? []).join(' ') || error.message).slice(0, 300) } };
    throw error;
  }
}

async function inSync(client: Route53Client, entry: Route53Entry, id: string): Promise<void> {
  const deadline = performance.now() + settlesWithinMs;
  for (;;) {
    const { ChangeInfo } = await client.send(new GetChangeCommand({ Id: id }));
    if (ChangeInfo?.Status === 'INSYNC') return;
    if (performance.now() > deadline)
      throw finalFailure(
        'EntryNotSeen',
        `the change ${id} of ${entry.name} is still ${ChangeInfo?.Status ?? 'unknown'} after ${settlesWithinMs / 60_000} min: some name servers of Route 53 give the old answer. See the health page of AWS, then look again.`,
      );
    await pause(lookEveryMs);
  }
}
