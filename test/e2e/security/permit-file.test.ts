/** A permit file that is missing, broken, or in the hands of the user that it binds permits nothing. */
import { chmod, chown, mkdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Hand, newHand } from '../activities/hand.ts';
import { newSmallEstate, type SmallEstate } from '../activities/small-estate.ts';

let estate: SmallEstate;

beforeAll(async () => {
  estate = await newSmallEstate();
}, 180_000);
afterAll(() => estate?.stop());

describe('a permit file', () => {
  const file = (name: string) => join(estate.root, name);
  let own: Hand | undefined;
  afterEach(async () => {
    await own?.stop();
    own = undefined;
    await execa('rm', ['-rf', file('permit-x'), file('permit-folder')]);
  });

  async function answer(permit: string): Promise<{ type: string; message: string }> {
    own = await newHand({ ...estate.env, LIFEBOAT_PERMIT: permit });
    const scratch = { host: 'db1', directory: join(estate.scratchRoot, 'run') };
    return own.call('litter', { scratch }).then(
      () => ({ type: 'did it', message: '' }),
      (error: { type: string; message: string }) => error,
    );
  }

  test.each([
    ['that is missing', async () => undefined],
    ['that is a directory', (path: string) => mkdir(path)],
    ['that is a pipe', (path: string) => execa('mkfifo', [path])],
    ['that is empty', (path: string) => writeFile(path, '')],
    ['that is no YAML', (path: string) => writeFile(path, 'scratch: [unclosed')],
    ['that is a list', (path: string) => writeFile(path, '- /')],
    ['with a relative path', (path: string) => writeFile(path, 'scratch: [../..]\npostgresql: /usr/bin\n')],
    ['with a key it does not know', (path: string) => writeFile(path, 'scratches: [/]\npostgresql: /usr/bin\n')],
    ['that grows when it is read', (path: string) => writeFile(path, bomb)],
    [
      'of a gigabyte',
      async (path: string) => {
        await writeFile(path, 'scratch: [/]\n');
        await truncate(path, 1024 ** 3);
      },
    ],
    [
      'that its user must not read',
      async (path: string) => {
        await writeFile(path, 'scratch: [/]\npostgresql: /usr/bin\n', { mode: 0o000 });
        await chmod(path, 0o000);
      },
    ],
  ])('%s permits nothing', async (_what, make) => {
    await make(file('permit-x'));
    await chmod(file('permit-x'), 0o444).catch(() => undefined);
    if (_what === 'that its user must not read') await chmod(file('permit-x'), 0o000);
    expect(await answer(file('permit-x'))).toMatchObject({
      type: 'NotPermitted',
      message: expect.stringContaining(file('permit-x')),
    });
  });

  const bomb = [
    'a: &a [x, x, x, x, x, x, x, x, x]',
    ...'bcdefghij'
      .split('')
      .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghij'[index]}`).join(', ')}]`),
  ].join('\n');

  /** The real worker, as the database's user: it looks at its permit file before it serves. */
  async function worker(permit: string): Promise<string> {
    const { uid, gid } = estate.runAs;
    const { stdout } = await execa(process.execPath, [join(process.cwd(), 'dist/workers/host.js')], {
      env: { LIFEBOAT_HOST: 'db1', LIFEBOAT_PERMIT: permit, TEMPORAL_ADDRESS: '127.0.0.1:1' },
      ...(process.getuid?.() === 0 ? { uid, gid } : {}),
      cwd: '/',
      timeout: 15_000,
      reject: false,
    });
    return stdout;
  }

  test.runIf(process.getuid?.() === 0)('that its user may write, or replace, serves nobody', async () => {
    const text = await readFile(estate.permit, 'utf8');
    await mkdir(file('permit-folder'));
    const inFolder = join(file('permit-folder'), 'permit.yaml');
    await writeFile(inFolder, text);
    await chmod(inFolder, 0o666);
    expect(await worker(inFolder)).toContain('may write the permit file');
    await chmod(inFolder, 0o644);
    await chown(file('permit-folder'), estate.runAs.uid, estate.runAs.gid);
    expect(await worker(inFolder)).toContain(`this user may write ${file('permit-folder')}`);
    await symlink(inFolder, file('permit-x'));
    expect(await worker(file('permit-x'))).toContain(`this user may write ${file('permit-folder')}`);
  });
});
