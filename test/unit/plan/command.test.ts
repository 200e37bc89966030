import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { planInWords } from '../../../cli/plan/words.ts';
import { planCommands } from '../../../cli/plan.ts';
import { loadPlanText } from '../../../plan/load.ts';
import { orders, ordersWith } from './orders.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-plan-command-'));
});

afterEach(async () => {
  process.exitCode = undefined;
  await rm(folder, { recursive: true });
});

async function lifeboat(...words: string[]): Promise<{ code: typeof process.exitCode; out: string }> {
  let out = '';
  const program = new Command().exitOverride().configureOutput({ writeOut: (text) => (out += text) });
  planCommands(program);
  await program.parseAsync(words, { from: 'user' });
  const code = process.exitCode;
  process.exitCode = undefined;
  return { code, out };
}

async function write(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

describe('lifeboat plan validate', () => {
  test('reads a valid plan back in sentences', () => {
    const words = planInWords(loadPlanText(orders, 'orders.yaml'), new Date('2026-11-21T14:00:00Z'));
    expect(words).toContain('orders.yaml is a valid plan for orders');
    expect(words).toContain('After a disaster the service is back within 4 h.');
    expect(words).toContain('At most the last 5 min of what was written may be lost.');
    expect(words).toContain('Of money (payments): at most the last 1 min lost.');
    expect(words).toContain('together 4 h of 4 h.');
    expect(words).toContain('full every day at 02:00 UTC, incremental every 6 hours.');
    expect(words).toContain('Next: 5 Dec 2026 02:00Z, 2 Jan 2027 02:00Z, 6 Feb 2027 02:00Z.');
    expect(words).not.toMatch(/undefined|NaN|\[object/);
  });

  test('says on which day of the year the clocks skip a time, and accepts it', () => {
    const text = ordersWith(['daily 02:00 UTC', 'daily 02:30 Europe/Berlin']);
    const words = planInWords(loadPlanText(text, 'orders.yaml'), new Date('2026-11-21T14:00:00Z'));
    expect(words).toContain('"daily 02:30 Europe/Berlin": 02:30 does not exist in Europe/Berlin on 2027-03-28');
    expect(planInWords(loadPlanText(orders, 'orders.yaml'), new Date())).not.toContain('Worth knowing');
  });

  test('ends with 0 when every plan is valid and with 2 when one is not, telling all of them', async () => {
    const good = await write('orders.yaml', orders);
    const bad = await write(
      'bad.yaml',
      ordersWith(['service: orders', 'service: bad'], ['host: db2, dir', 'host: db9, dir']),
    );
    expect((await lifeboat('plan', 'validate', good)).code).toBe(0);
    const both = await lifeboat('plan', 'validate', bad, good);
    expect(both.code).toBe(2);
    expect(both.out).toContain(`${bad}:53:56 host "db9" is in no site: did you mean "db1"?`);
    expect(both.out).toContain(`${good} is a valid plan for orders`);
  });

  test('refuses two plans of one service', async () => {
    const first = await write('a.yaml', orders);
    const second = await write('b.yaml', orders);
    const { code, out } = await lifeboat('plan', 'validate', first, second);
    expect(code).toBe(2);
    expect(out).toContain(`${second}:1:1 service "orders" has a plan already, in ${first}`);
  });

  test('gives machines one JSON document', async () => {
    const good = await write('orders.yaml', orders);
    const { code, out } = await lifeboat('plan', 'validate', '--json', good, join(folder, 'gone.yaml'));
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({
      files: [
        { file: good, valid: true, service: 'orders', nextDrills: { length: 3 } },
        { valid: false, problems: [{ line: 1, column: 1, message: 'the file cannot be read: there is no such file' }] },
      ],
    });
  });
});

describe('lifeboat plan schema', () => {
  test('prints the schema, or writes it to a file', async () => {
    const printed = await lifeboat('plan', 'schema', '--json');
    expect(JSON.parse(printed.out)).toMatchObject({ title: 'Lifeboat plan', additionalProperties: false });
    const file = join(folder, 'plan.schema.json');
    await lifeboat('plan', 'schema', '--write', file);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(JSON.parse(printed.out));
  });

  test('says where it cannot be written', async () => {
    await expect(lifeboat('plan', 'schema', '--write', folder)).rejects.toMatchObject({
      exit: 'badInput',
      message: expect.stringContaining(`cannot be written to ${folder}`),
    });
  });
});
