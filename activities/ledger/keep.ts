/** Keeps a file of rows in the evidence store; where the store does not take it, beside the directory that was set aside. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { LedgerFile } from '../../evidence/ledger.ts';
import type { LedgerHostChanges } from '../contract-of-ledger.ts';
import { syncDirectory } from '../evidence/directory.ts';
import { ledgerKey } from '../evidence/layout.ts';
import { withStore } from '../evidence/object-store.ts';
import { failure } from '../failure.ts';
import { Outage } from '../outage.ts';

/** Ends the name of the directory in which rows are kept that the store did not take. */
export const rowsKept = '.ledger';

type Ask = Parameters<LedgerHostChanges['ledgerOfLostWrites']>[0];

/** What lies on the host, and what is known of it. */
export interface Written {
  table: string;
  path: string;
  sha256: string;
  bytes: number;
}

/**
 * Safe to repeat: the same name is written anew.
 *
 * @returns where it is, and why it is not in the store
 */
export async function keep(ask: Ask, written: Written): Promise<{ file: LedgerFile; why?: string }> {
  const key = ledgerKey(ask.service, ask.run, ask.runId, written.table);
  const { sha256, bytes } = written;
  const file = { name: basename(key), sha256, bytes };
  try {
    const outage = new Outage('StoreUnreachable', ask);
    return { file: { ...file, location: await outage.waitOut(() => toStore(ask, key, written)) } };
  } catch (error) {
    // Rows that nobody can look at would be lost for good when the old directory goes.
    const why = error instanceof Error ? error.message : String(error);
    return { file: { ...file, location: await beside(ask, file.name, written) }, why };
  }
}

async function toStore({ store }: Ask, key: string, { path, sha256 }: Written): Promise<string> {
  return withStore(store, async (opened) => {
    await opened.putStream(key, createReadStream(path), 'text/csv; charset=utf-8');
    const back = createHash('sha256');
    for await (const chunk of (await opened.getStream(key)) ?? []) back.update(chunk);
    if (back.digest('hex') !== sha256)
      throw failure('StoreUnreachable', `${opened.location(key)} reads back other than it was written`);
    return opened.location(key);
  });
}

/** It holds the service's data, as its neighbour does: closed to all others. */
async function beside({ setAside }: Ask, name: string, { path }: Written): Promise<string> {
  const folder = `${setAside.directory}${rowsKept}`;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const place = join(folder, name);
  await copyFile(path, place);
  const file = await open(place, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  await syncDirectory(folder);
  return place;
}
