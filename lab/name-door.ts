/**
 * A client of the service that knows it by its name alone: it asks a resolver for each connection, and is led where the answer says.
 * Whatever connects here sees what clients see, an answer that is still remembered too.
 *
 * Environment: LAB_NAME_PORT, LAB_NAME (of the service), LAB_NAME_RESOLVER (host:port), LAB_NAME_TARGET_PORT.
 */
import { Resolver } from 'node:dns/promises';
import { connect, createServer, type Socket } from 'node:net';
import { required } from './environment.ts';

const patience = { timeout: 1_000, tries: 1 };
const name = required('LAB_NAME');
const port = Number(required('LAB_NAME_TARGET_PORT'));

async function lead(client: Socket): Promise<void> {
  client.on('error', () => client.destroy());
  const resolver = new Resolver(patience);
  resolver.setServers([required('LAB_NAME_RESOLVER')]);
  const [address] = await resolver.resolve4(name);
  if (address === undefined) return void client.destroy();
  const server = connect({ host: address, port });
  server.on('error', () => client.destroy());
  server.on('close', () => client.destroy());
  client.on('close', () => server.destroy());
  client.pipe(server).pipe(client);
}

createServer((client) => {
  lead(client).catch(() => client.destroy());
}).listen(Number(required('LAB_NAME_PORT')), '127.0.0.1');

process.on('SIGTERM', () => process.exit(0));
