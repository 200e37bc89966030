/** Finds the Temporal server by its own profiles and variables, and says in words why it cannot be reached. */
import { lookup } from 'node:dns/promises';
import { createConnection } from 'node:net';
import { Connection, isGrpcServiceError } from '@temporalio/client';
import { type ClientConnectConfig, loadClientConnectConfig } from '@temporalio/envconfig';
import { Problem } from '../problem.ts';

const connectWithinMs = 5_000;
const usualAddress = '127.0.0.1:7233';
const usualNamespace = 'default';

// gRPC status codes: https://grpc.io/docs/guides/status-codes/
const permissionDenied = 7;
const unauthenticated = 16;

export interface Reached {
  connection: Connection;
  address: string;
  namespace: string;
}

/** @throws Problem within a few seconds when nobody answers there */
export async function reach(profile?: string): Promise<Reached> {
  const { connectionOptions, namespace } = loadProfile(profile);
  const address = connectionOptions.address ?? usualAddress;
  try {
    const connection = await Connection.connect({ ...connectionOptions, address, connectTimeout: connectWithinMs });
    return { connection, address, namespace: namespace ?? usualNamespace };
  } catch (error) {
    throw new Problem('engineUnreachable', `${await whyNot(address, error)}\n${whatToDo(profile)}`);
  }
}

function loadProfile(profile?: string): ClientConnectConfig {
  try {
    return loadClientConnectConfig(profile === undefined ? {} : { profile });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Problem(
      'badInput',
      `The Temporal profile "${profile ?? process.env.TEMPORAL_PROFILE ?? 'default'}" cannot be used: ${why}. See "temporal config list".`,
    );
  }
}

function whatToDo(profile?: string): string {
  const where = profile === undefined ? 'TEMPORAL_ADDRESS=host:port or --profile NAME' : `profile "${profile}"`;
  return `Point to your server with ${where}; to start one for trying: temporal server start-dev`;
}

async function whyNot(address: string, error: unknown): Promise<string> {
  if (isGrpcServiceError(error) && (error.code === unauthenticated || error.code === permissionDenied))
    return `Temporal at ${address} does not let us in: ${error.details}.`;
  return `Temporal is not reachable at ${address}: ${await knock(address)}.`;
}

/** The SDK only says that time ran out; a plain connection says why. */
async function knock(address: string): Promise<string> {
  const { hostname, port } = splitAddress(address);
  if (port === undefined) return 'the address needs a port, such as host:7233';
  try {
    await lookup(hostname);
  } catch {
    return `the name ${hostname} does not resolve`;
  }
  return new Promise((resolve) => {
    const socket = createConnection({ host: hostname, port, timeout: 2_000 });
    const end = (words: string) => {
      socket.destroy();
      resolve(words);
    };
    socket.on('connect', () => end('something listens there, but does not answer as Temporal does (TLS or not?)'));
    socket.on('timeout', () => end('no answer to a TCP connection'));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      end(error.code === 'ECONNREFUSED' ? 'nobody listens there' : error.message),
    );
  });
}

function splitAddress(address: string): { hostname: string; port?: number } {
  const match = /^\[?(.+?)\]?:(\d+)$/.exec(address);
  if (match?.[1] === undefined || match[2] === undefined) return { hostname: address };
  return { hostname: match[1], port: Number(match[2]) };
}
