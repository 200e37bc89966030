/**
 * Route 53 as moto has it, behind a proxy that makes it behave as the real one can: slow to settle, throttled, losing its answers. moto also
 * takes a DELETE of any value that there ever was, and refuses a DELETE with a CREATE of such a value: the proxy judges a batch itself.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import {
  type ChangeAction,
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  ListHostedZonesCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  Route53Client,
} from '@aws-sdk/client-route-53';
import { needParts } from '../../../parts/parts.ts';
import { eventually, freePort, removeDirectory, scratchDirectory, start } from '../control/rig.ts';

export interface Fault {
  /** Of which requests: `GET /2013-04-01/change/`. */
  of: RegExp;
  /** How many of them; all when absent. */
  times?: number;
  /** Answered without asking moto. */
  refuse?: { status: number; code: string; message?: string };
  /** Done by moto, and the answer never arrives. */
  lose?: true;
  /** The answer says PENDING. */
  pending?: true;
  /** Before it is passed on. */
  first?: () => Promise<void>;
}

export interface Moto {
  endpoint: string;
  /** A new zone, with these records of the name. */
  zone(...records: Partial<ResourceRecordSet>[]): Promise<string>;
  /** Rules that strike in this order, each as often as it says. */
  faults: Fault[];
  /** What came to the proxy: `POST /2013-04-01/hostedzone/Z1/rrset/`. */
  asked: string[];
  /** By somebody else, past the proxy. */
  byHand(action: ChangeAction, record: Partial<ResourceRecordSet>): Promise<void>;
  /** What the zone has of this name. */
  records(): Promise<ResourceRecordSet[]>;
  stop(): Promise<void>;
}

export const name = 'orders.example.com';

export async function startMoto(): Promise<Moto> {
  const { moto } = await needParts(['moto'], (line) => console.log(line));
  const directory = await scratchDirectory('moto');
  const port = await freePort();
  const child = await start({
    directory,
    name: 'moto',
    command: moto.path,
    args: ['-H', '127.0.0.1', '-p', String(port)],
    cwd: directory,
  });
  const direct = new Route53Client({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: 'hand', secretAccessKey: 'hand' },
    maxAttempts: 1,
  });
  await eventually('moto answers', () => direct.send(new ListHostedZonesCommand({})));
  let zoneId = '';
  let zones = 0;
  const byHand: Moto['byHand'] = async (Action, record) => {
    const ResourceRecordSet: ResourceRecordSet = { Name: name, Type: 'A', ...record };
    const ChangeBatch = { Changes: [{ Action, ResourceRecordSet }] };
    await direct.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: zoneId, ChangeBatch }));
  };
  const records: Moto['records'] = async () => {
    const { ResourceRecordSets = [] } = await direct.send(new ListResourceRecordSetsCommand({ HostedZoneId: zoneId }));
    return ResourceRecordSets.filter((one) => one.Name === `${name}.`);
  };
  const faults: Fault[] = [];
  const asked: string[] = [];
  const proxy = createServer((incoming, outgoing) => {
    serve(incoming, outgoing, { port, faults, asked, records }).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  return {
    endpoint: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    zone: async (...wanted) => {
      zones += 1;
      const { HostedZone } = await direct.send(
        new CreateHostedZoneCommand({ Name: 'example.com', CallerReference: `${zones}` }),
      );
      zoneId = (HostedZone?.Id ?? '').replace('/hostedzone/', '');
      for (const record of wanted) await byHand('CREATE', record);
      return zoneId;
    },
    faults,
    asked,
    byHand,
    records,
    stop: async () => {
      direct.destroy();
      proxy.closeAllConnections();
      proxy.close();
      await child.end();
      await removeDirectory(directory);
    },
  };
}

async function serve(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { port, faults, asked, records }: Pick<Moto, 'faults' | 'asked' | 'records'> & { port: number },
): Promise<void> {
  const what = `${incoming.method} ${incoming.url}`;
  asked.push(what);
  const fault = struck(faults, what);
  const body = await wholeOf(incoming);
  if (fault?.refuse !== undefined) {
    const { status, code, message = code } = fault.refuse;
    outgoing.writeHead(status, { 'content-type': 'text/xml' }).end(errorOf(code, message));
    return;
  }
  await fault?.first?.();
  const judged = incoming.method === 'POST' ? await judge(body, records) : body;
  if (judged === undefined) {
    outgoing.writeHead(400, { 'content-type': 'text/xml' }).end(errorOf('InvalidChangeBatch', notAsGiven));
    return;
  }
  const answer = await passOn(incoming, judged, port);
  if (fault?.lose) {
    incoming.socket.destroy();
    return;
  }
  const text = fault?.pending ? answer.text.replace('INSYNC', 'PENDING') : answer.text;
  outgoing.writeHead(answer.status, { 'content-type': answer.type }).end(text);
}

function struck(faults: Fault[], what: string): Fault | undefined {
  const fault = faults.find(({ of, times = 1 }) => times > 0 && of.test(what));
  if (fault?.times !== undefined) fault.times -= 1;
  return fault;
}

const notAsGiven = `Tried to delete resource record set [name='${name}.', type='A'] but the values provided do not match the current values`;

/** What is deleted must be there just so. To moto the whole is said as one change. */
async function judge(body: string, records: Moto['records']): Promise<string | undefined> {
  const [deleted = ''] = /<Change><Action>DELETE<.*?<\/Change>/s.exec(body) ?? [];
  const [set] = await records();
  const values = (set?.ResourceRecords ?? []).map(({ Value }) => `<Value>${Value}</Value>`).join('');
  const given = [...deleted.matchAll(/<Value>.*?<\/Value>/g)].join('');
  if (given !== values || !deleted.includes(`<TTL>${set?.TTL}</TTL>`)) return undefined;
  return body.replace(deleted, '').replace('<Action>CREATE<', '<Action>UPSERT<');
}

/** As Route 53 says it. */
function errorOf(code: string, message: string): string {
  return `<?xml version="1.0"?>
<ErrorResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>injected</RequestId></ErrorResponse>`;
}

function passOn(
  { method, url, headers }: IncomingMessage,
  body: string,
  port: number,
): Promise<{ status: number; type: string; text: string }> {
  return new Promise((resolve, reject) => {
    const own = { ...headers, 'content-length': String(Buffer.byteLength(body)) };
    const sent = request({ host: '127.0.0.1', port, method, path: url, headers: own, agent: false }, (response) => {
      wholeOf(response).then(
        (text) =>
          resolve({ status: response.statusCode ?? 502, type: response.headers['content-type'] ?? 'text/xml', text }),
        reject,
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function wholeOf(message: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of message.setEncoding('utf8')) text += part;
  return text;
}
