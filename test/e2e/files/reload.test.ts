/** An nginx that is to take restored configuration up, and cannot: the old one comes back, and never stopped serving. */
import { createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { reservePort } from '../../../lab/ports.ts';
import { sitePath, siteSaying, startWorks, type Works } from './works.ts';

let works: Works;
let listener: Server | undefined;
let runs = 0;

beforeAll(async () => {
  works = await startWorks();
});

afterAll(() => works?.stop());

afterEach(() => new Promise<void>((resolve) => (listener === undefined ? resolve() : listener.close(() => resolve()))));

/** Backs up a site of this text, goes back to the first one, and replaces it by the snapshot. @returns the failure of taking it up */
async function replaceBy(text: string): Promise<{ beside: { files: Works['files']; run: string }; failed: unknown }> {
  const { hand, files, write } = works;
  runs += 1;
  await write(sitePath(works), text);
  const { snapshot } = await hand.call('backUpFiles', { files, tag: `run-${runs}` });
  await write(sitePath(works), siteSaying(works, 'first'));
  const beside = { files, run: `orders-${runs}` };
  await hand.call('restoreFiles', { ...beside, snapshot });
  const { seen } = await hand.call('filesDifferences', beside);
  await hand.call('replaceFiles', { ...beside, seen });
  const failed = await hand.call('takeUpFiles', { files }).catch((error: unknown) => error);
  return { beside, failed };
}

async function comesBack(beside: { files: Works['files']; run: string }): Promise<string> {
  const { found } = await works.hand.call('giveFilesBack', beside);
  expect(await works.answer()).toBe('first');
  await works.hand.call('filesServe', { files: works.files });
  await works.hand.call('removeRestored', beside);
  return found;
}

test('with a port that is taken: its test passes and its reload ends well, and it is found all the same', async () => {
  const port = await reservePort();
  await port.release();
  const taken = await new Promise<Server>((resolve) => {
    const server = createServer().listen(port.number, '127.0.0.1', () => resolve(server));
  });
  listener = taken;
  const both = `${siteSaying(works, 'second')}${siteSaying(works, 'third', port.number)}`;
  const { beside, failed } = await replaceBy(both);
  expect(failed).toMatchObject({
    type: 'ReloadFailed',
    message: expect.stringMatching(
      /-s reload ended well on web1, and 15 s later there is no new worker: it serves on with the old files/,
    ),
  });
  // It never stopped.
  expect(await works.answer()).toBe('first');
  expect(await comesBack(beside)).toMatch(/is what it was before; taken up again: .*2 new workers/);
}, 120_000);

test('with a line that it does not know: nothing is reloaded', async () => {
  const { beside, failed } = await replaceBy('server { lissten 80; }\n');
  expect(failed).toMatchObject({
    type: 'ReloadFailed',
    message: expect.stringMatching(/-t on web1 does not accept the files.*unknown directive "lissten"/),
  });
  expect(await works.answer()).toBe('first');
  await comesBack(beside);
});

test('with an answer that is not healthy', async () => {
  const { beside, failed } = await replaceBy(siteSaying(works, 'second').replace('return 200', 'return 503'));
  expect(failed).toMatchObject({
    type: 'ReloadFailed',
    message: expect.stringMatching(/is not healthy .*it answers 503, expected 200/),
  });
  await comesBack(beside);
});

test('with an answer that is healthy it serves: no old worker has given that answer', async () => {
  const { beside, failed } = await replaceBy(siteSaying(works, 'second'));
  expect(failed).toMatchObject({ found: expect.stringContaining('new workers') });
  expect(await works.answer()).toBe('second');
  await comesBack(beside);
});

test('one that does not run is tested, and told to nobody', async () => {
  await works.nginx.process.stop();
  const { beside, failed } = await replaceBy(siteSaying(works, 'second'));
  expect(failed).toMatchObject({ found: expect.stringContaining('it does not run') });
  await works.nginx.process.start();
  expect(await works.answer()).toBe('second');
  await comesBack(beside);
});
