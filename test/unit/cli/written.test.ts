import { readFile } from 'node:fs/promises';
import { Client, Connection } from '@temporalio/client';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { expect, test } from 'vitest';
import { writtenBy } from '../../../cli/engine/written.ts';

const connection = Connection.lazy();
const client = new Client({ connection });

async function recorded(name: string) {
  const folder = new URL('../../replay/histories/', import.meta.url);
  return historyFromJSON(JSON.parse(await readFile(new URL(name, folder), 'utf8')));
}

async function from(history: Awaited<ReturnType<typeof recorded>>) {
  const handle = { ...client.workflow.getHandle('orders-7f3a'), fetchHistory: async () => history };
  return writtenBy({ connection, address: '127.0.0.1:1', namespace: 'default' }, client, handle);
}

test('where a run wrote its evidence is read from its history', async () => {
  expect(await from(await recorded('monthly-drill-0.1.0.json'))).toEqual({
    evidence: expect.stringMatching(/^(s3:\/\/|\/)/),
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
});

test('a run that ended before it wrote any names none', async () => {
  const history = await recorded('monthly-drill-0.1.0.json');
  history.events = history.events?.slice(0, 10) ?? [];
  expect(await from(history)).toBeUndefined();
});
