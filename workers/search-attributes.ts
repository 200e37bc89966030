import { setTimeout as pause } from 'node:timers/promises';
import { Connection, isGrpcServiceError } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { Logger } from 'pino';
import { searchAttributes } from '../workflows/messages.ts';

/** `INDEXED_VALUE_TYPE_KEYWORD`. @see temporal/api/enums/v1/common.proto */
const keyword = 2;

/** gRPC: ALREADY_EXISTS. Another worker was faster. */
const alreadyThere = 6;
/** gRPC: INVALID_ARGUMENT, PERMISSION_DENIED, UNIMPLEMENTED, UNAUTHENTICATED. Asking again would give the same answer. */
const refusals = new Set([3, 7, 12, 16]);

/**
 * Makes sure that the server knows Lifeboat's search attributes: a workflow that sets an unknown one would be stuck.
 * Waits for a server that is not there yet; where the right to add them is missing, says what an administrator has to run.
 */
export async function registerSearchAttributes(logger: Logger): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await addMissing(logger);
      return;
    } catch (error) {
      const code = isGrpcServiceError(error) ? error.code : undefined;
      if (code === alreadyThere) return;
      const why = error instanceof Error ? error.message : String(error);
      if (code !== undefined && refusals.has(code)) {
        logger.error(`the server does not let this worker look after search attributes (${why}). ${advice()}`);
        return;
      }
      logger.warn({ attempt }, `Temporal does not answer yet: ${why}`);
      await pause(Math.min(500 * attempt, 5_000));
    }
  }
}

async function addMissing(logger: Logger): Promise<void> {
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
  const connection = await Connection.connect({ ...connectionOptions, connectTimeout: '5s' });
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    const missing = Object.values(searchAttributes).filter((name) => !(name in customAttributes));
    if (missing.length === 0) return;
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map((name) => [name, keyword])),
    });
    logger.info({ namespace }, `search attributes registered: ${missing.join(', ')}`);
  } finally {
    await connection.close();
  }
}

function advice(): string {
  const flags = Object.values(searchAttributes).map((name) => `--name ${name} --type Keyword`);
  return `Let an administrator run: temporal operator search-attribute create ${flags.join(' ')}`;
}
