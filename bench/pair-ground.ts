/** A primary and its standby, to change places or to be recovered: an estate with customers, people who are asked, and a backup. */
import { Client, Connection } from '@temporalio/client';
import { readPrivateKey } from '../activities/people/keys.ts';
import { type Customer, startCustomer } from '../lab/customer.ts';
import { type Estate, startEstate } from '../lab/estate.ts';
import { peopleFiles } from '../lab/people.ts';
import type { PeopleGroundOptions } from './people-ground.ts';
import type { Asker } from './questions.ts';
import { runbookEnded } from './runs.ts';

export interface PairGround extends Asker {
  estate: Estate;
  /** Writes through the front door all the time, and counts. */
  customer: Customer;
  say(line: string): void;
}

const usualOrders = 20_000;
const ordersPerSecond = 20;

/** Builds it, gives it to `use`, and takes it down again, whatever happens. */
export async function onPairGround<T>(
  { root, say, signal, orders = usualOrders }: PeopleGroundOptions & { orders?: number },
  use: (ground: PairGround) => Promise<T>,
): Promise<T> {
  say(`building an estate of a primary and its standby, with people who are asked, below ${root}`);
  const estate = await startEstate({
    ...{ root, say, signal },
    rows: orders,
    load: { ordersPerSecond },
    faults: false,
    people: { quorum: 1 },
  });
  try {
    const keys = peopleFiles(root);
    const people = { ana: await readPrivateKey(keys.key('ana')), ben: await readPrivateKey(keys.key('ben')) };
    const connection = await Connection.connect({ address: estate.temporal.address });
    try {
      const client = new Client({ connection });
      say('taking a full backup, to fall back on');
      const { evidence } = await runbookEnded(client, 'backup', { mode: 'live', type: 'full' }, signal);
      if (evidence.outcome !== 'completed')
        throw new Error(`the backup ${evidence.outcome}: ${evidence.failure?.message ?? 'without a reason'}`);
      const customer = await startCustomer(estate);
      try {
        return await use({ estate, client, people, customer, say, signal });
      } finally {
        await customer.stop();
      }
    } finally {
      await connection.close();
    }
  } finally {
    say('ending every process of the estate, and removing its files');
    await estate.stop();
  }
}
