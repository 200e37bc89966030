import { chmod, mkdir, mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { loadPlan, readPlan } from '../../../activities/plans.ts';
import { resolveSecret, resolveSecrets } from '../../../activities/secrets.ts';
import { orders, ordersWith } from './orders.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-plans-'));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

async function write(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

const payments = ordersWith(['service: orders', 'service: payments']);
const broken = ordersWith(['service: orders', 'service: broken'], ['rto: 4h', 'rto: soon']);

describe('loading a plan', () => {
  beforeEach(() => vi.stubEnv('LIFEBOAT_PLANS', folder));

  test('needs no service when there is one plan', async () => {
    const file = await write('orders.yaml', orders);
    expect(await loadPlan({})).toMatchObject({
      plan: { service: 'orders' },
      file,
      found: expect.stringContaining(file),
    });
  });

  test('asks for the service when there are several, and names them', async () => {
    await write('orders.yaml', orders);
    await write('payments.yml', payments);
    await expect(loadPlan({})).rejects.toMatchObject({
      type: 'InputInvalid',
      nonRetryable: true,
      message: 'there are several services: name one of orders, payments, such as {"service":"orders"}.',
    });
    expect((await loadPlan({ service: 'payments' })).plan.service).toBe('payments');
  });

  test('holds what the file says now, be its size and its times what they were before', async () => {
    const file = await write('orders.yaml', orders);
    const before = await loadPlan({});
    const { atime, mtime } = await stat(file);
    await write('orders.yaml', ordersWith(['rto: 4h', 'rto: 5h']));
    await utimes(file, atime, mtime);
    const after = await loadPlan({});
    expect(after.plan.objectives.rto - before.plan.objectives.rto).toBe(3_600_000);
    expect(after.sha256).not.toBe(before.sha256);
  });

  test('fails while the file is broken, whatever it was before, and works once it is mended', async () => {
    await write('orders.yaml', orders);
    const before = await loadPlan({});
    await write('orders.yaml', broken);
    await expect(loadPlan({})).rejects.toMatchObject({ type: 'PlanInvalid' });
    await write('orders.yaml', orders);
    expect(await loadPlan({})).toEqual(before);
  });

  test('does not understand anew what has not changed: with many services each run would wait for it', async () => {
    const file = await write('orders.yaml', orders);
    const first = await readPlan(file);
    expect((await readPlan(file)).plan).toBe(first.plan);
  });

  test('names the nearest service when the named one does not exist', async () => {
    await write('orders.yaml', orders);
    await write('payments.yaml', payments);
    await expect(loadPlan({ service: 'paymnets' })).rejects.toMatchObject({
      type: 'InputInvalid',
      message: 'there is no plan for service "paymnets"; the nearest is "payments", and there are: orders, payments.',
    });
  });

  test('tells every problem of a plan that cannot be used, with file, line and column', async () => {
    const file = await write('broken.yaml', broken);
    await expect(loadPlan({})).rejects.toMatchObject({
      type: 'PlanInvalid',
      nonRetryable: true,
      message: `${file}:3:8 objectives.rto: "soon" is not a duration: write a number and a unit, such as 30s, 15m, 4h or 7d`,
    });
  });

  test('is not stopped by the plan of another service that cannot be used', async () => {
    await write('broken.yaml', broken);
    await write('orders.yaml', orders);
    expect((await loadPlan({ service: 'orders' })).plan.service).toBe('orders');
    await expect(loadPlan({ service: 'broken' })).rejects.toMatchObject({ type: 'PlanInvalid' });
  });

  test('refuses two plans for one service, naming both files', async () => {
    const first = await write('a.yaml', orders);
    const second = await write('b.yaml', orders);
    await expect(loadPlan({ service: 'orders' })).rejects.toMatchObject({
      type: 'PlanInvalid',
      message: `service orders has two plans, ${first} and ${second}: keep one.`,
    });
  });

  test('passes over what is no plan file, and says when a folder holds none', async () => {
    await write('plan.schema.json', '{}');
    await write('.orders.yaml.swp', 'x');
    await expect(loadPlan({})).rejects.toMatchObject({
      type: 'PlanInvalid',
      message: expect.stringContaining('holds no plan'),
    });
  });

  test('takes a list of files, and says which of them is not there', async () => {
    const file = await write('orders.yaml', orders);
    vi.stubEnv('LIFEBOAT_PLANS', `${file}:${await write('payments.yaml', payments)}`);
    expect((await loadPlan({ service: 'payments' })).plan.service).toBe('payments');
    vi.stubEnv('LIFEBOAT_PLANS', `${file}:${folder}/gone.yaml`);
    await expect(loadPlan({})).rejects.toMatchObject({ message: expect.stringContaining(`${folder}/gone.yaml`) });
    vi.stubEnv('LIFEBOAT_PLANS', '');
    await expect(loadPlan({})).rejects.toMatchObject({
      type: 'PlanInvalid',
      message: expect.stringContaining('LIFEBOAT_PLANS'),
    });
  });
});

describe('resolving a secret', () => {
  test('reads the environment, or a file without the line break at its end', async () => {
    vi.stubEnv('ORDERS_PASSWORD', 'from the environment');
    expect(await resolveSecret(`\${env:ORDERS_PASSWORD}`)).toBe('from the environment');
    const file = await write('password', 'from a file \n\n');
    expect(await resolveSecret(`\${file:${file}}`)).toBe('from a file \n');
  });

  test('that is missing says which, where and what to do', async () => {
    await expect(resolveSecret(`\${env:NOT_SET_ANYWHERE}`)).rejects.toMatchObject({
      type: 'SecretMissing',
      nonRetryable: true,
      message: expect.stringMatching(
        /^\$\{env:NOT_SET_ANYWHERE\} is not set on \S+ \(pid \d+, uid \d+\)\. Set it in the environment/,
      ),
    });
    await expect(resolveSecret(`\${file:${folder}/gone}`)).rejects.toMatchObject({
      message: expect.stringContaining('there is no such file'),
    });
    const empty = await write('empty', '\n');
    await expect(resolveSecret(`\${file:${empty}}`)).rejects.toMatchObject({
      message: expect.stringContaining('is empty'),
    });
  });

  test('of several tells all that are missing at once, and a value never', async () => {
    const password = await write('password', 'hunter2');
    await mkdir(join(folder, 'directory'));
    await chmod(join(folder, 'directory'), 0o700);
    const names = [`\${file:${password}}`, `\${env:GONE_ONE}`, `\${file:${folder}/directory}`, 'hunter2'];
    const error = await resolveSecrets({ names }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ type: 'SecretMissing' });
    expect(String(error)).toMatch(/GONE_ONE.*directory.*is not named as one/s);
    expect(String(error)).not.toContain('hunter2');
  });

  test('of several that all resolve says so', async () => {
    const password = await write('password', 'hunter2');
    const found = await resolveSecrets({ names: [`\${file:${password}}`] });
    expect(found.found).toMatch(/^the secret resolves on /);
    expect(JSON.stringify(found)).not.toContain('hunter2');
  });
});
