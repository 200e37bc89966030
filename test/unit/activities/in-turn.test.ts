import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { inTurn } from '../../../activities/in-turn.ts';
import { claim, madeBy, onOwnServer } from '../../../activities/postgres/made-by.ts';
import { placesOf } from '../../../activities/postgres/scratch.ts';
import type { Scratch } from '../../../activities/shapes.ts';

let root: string;
let scratch: Scratch;

beforeEach(async () => {
  root = await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'turn-'));
  // A server beside is worked on where the permit file allows it.
  await writeFile(join(root, 'permit.yaml'), `scratch: [${root}]\npostgresql: /usr/bin\n`);
  vi.stubEnv('LIFEBOAT_PERMIT', join(root, 'permit.yaml'));
  scratch = { host: 'db2', directory: join(root, 'orders-7f3a-01a1feee'), service: 'orders' };
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true, force: true });
});

/** An activity of this execution. */
function as(runId: string): MockActivityEnvironment {
  return new MockActivityEnvironment(
    { workflowExecution: { workflowId: 'orders-7f3a', runId } },
    { logger: new DefaultLogger('ERROR') },
  );
}

interface Gate {
  entered: Promise<void>;
  open(): void;
}

/** An activity that stays at work until its gate is opened. */
function gated(notes: string[]): {
  activity: (ask: { scratch: Scratch; name: string }) => Promise<void>;
  gate(name: string): Gate;
} {
  const gates = new Map<
    string,
    { opened: Promise<void>; open: () => void; entered: Promise<void>; enter: () => void }
  >();
  const of = (name: string) => {
    const known = gates.get(name);
    if (known !== undefined) return known;
    const [opened, open] = promise();
    const [entered, enter] = promise();
    const made = { opened, open, entered, enter };
    gates.set(name, made);
    return made;
  };
  const activity = inTurn(async ({ name }: { scratch: Scratch; name: string }) => {
    notes.push(`${name} begins`);
    of(name).enter();
    await of(name).opened;
    notes.push(`${name} ends`);
  });
  return { activity, gate: of };
}

function promise(): [Promise<void>, () => void] {
  let settle: () => void = () => undefined;
  return [
    new Promise<void>((resolve) => {
      settle = resolve;
    }),
    () => settle(),
  ];
}

describe('in one directory', () => {
  test('an execution waits for the end of what another is at', async () => {
    const notes: string[] = [];
    const { activity, gate } = gated(notes);
    const old = as('old').run(activity, { scratch, name: 'removal' });
    await gate('removal').entered;
    gate('restore').open();
    const next = as('new').run(activity, { scratch, name: 'restore' });
    gate('removal').open();
    await Promise.all([old, next]);
    expect(notes).toEqual(['removal begins', 'removal ends', 'restore begins', 'restore ends']);
  });

  test('activities of one execution go side by side', async () => {
    const notes: string[] = [];
    const { activity, gate } = gated(notes);
    const both = ['indexes', 'constraints'].map((name) => as('one').run(activity, { scratch, name }));
    await Promise.all([gate('indexes').entered, gate('constraints').entered]);
    gate('indexes').open();
    gate('constraints').open();
    await Promise.all(both);
    expect(notes.slice(0, 2).sort()).toEqual(['constraints begins', 'indexes begins']);
  });

  test('what waits can be cancelled', async () => {
    const { activity, gate } = gated([]);
    const old = as('old').run(activity, { scratch, name: 'removal' });
    await gate('removal').entered;
    const waiting = as('new');
    const next = waiting.run(activity, { scratch, name: 'restore' });
    waiting.cancel();
    await expect(next).rejects.toThrow();
    gate('removal').open();
    await old;
  });
});

describe('a scratch directory', () => {
  const look = onOwnServer(async () => 'at work');

  test('names the run that made it, its first execution, and the one that has it now', async () => {
    await as('first').run(() => claim(placesOf(scratch.directory), { scratch, key: 'first/database/restore' }));
    const made = await madeBy(scratch.directory);
    expect(made).toMatchObject({ run: 'orders-7f3a', firstRunId: 'first', execution: 'first', service: 'orders' });
    await as('second').run(() => claim(placesOf(scratch.directory), { scratch, key: 'first/database/restore' }));
    expect(await madeBy(scratch.directory)).toMatchObject({ execution: 'second', madeAt: made?.madeAt });
  });

  test('is worked in by the execution that has it, and by no other', async () => {
    await as('second').run(() => claim(placesOf(scratch.directory), { scratch }));
    expect(await as('second').run(look, { scratch })).toBe('at work');
    await expect(as('first').run(look, { scratch })).rejects.toMatchObject({ type: 'BesideLost', nonRetryable: true });
  });

  test('that is gone is told as lost; one without a file that says whose it is goes on', async () => {
    await expect(as('one').run(look, { scratch })).rejects.toMatchObject({ type: 'BesideLost' });
    const places = placesOf(scratch.directory);
    await as('one').run(() => claim(places, { scratch }));
    await rm(places.madeBy);
    await writeFile(places.restored, '{}');
    expect(await as('one').run(look, { scratch })).toBe('at work');
  });

  test('whose file is damaged is nobody’s', async () => {
    await as('one').run(() => claim(placesOf(scratch.directory), { scratch }));
    const text = await readFile(placesOf(scratch.directory).madeBy, 'utf8');
    for (const damaged of ['', '{', 'null', '[]', text.replace('lifeboat.scratch/1', 'other')]) {
      await writeFile(placesOf(scratch.directory).madeBy, damaged);
      expect(await madeBy(scratch.directory)).toBeUndefined();
    }
  });
});
