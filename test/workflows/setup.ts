/** Builds the workflow bundle once for all workflow and replay tests. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import type { TestProject } from 'vitest/node';
import { needParts } from '../../parts/parts.ts';
import { quickServer } from './quick-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    workflowBundle: string;
    testServer: string;
  }
}

let folder: string | undefined;

export async function setup(project: TestProject): Promise<void> {
  folder = await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'lifeboat-bundle-'));
  const { code } = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('./workflows.ts', import.meta.url)),
    logger: new DefaultLogger('WARN'),
  });
  const bundle = join(folder, 'workflows.js');
  await writeFile(bundle, code);
  project.provide('workflowBundle', bundle);
  const { 'test-server': server } = await needParts(['test-server'], (line) => console.log(line));
  project.provide('testServer', await quickServer(server.path, folder));
}

export async function teardown(): Promise<void> {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
}
