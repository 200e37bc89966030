/** Makes the small estate from which every end-to-end test copies its own. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { prepareTemplate } from '../../lab/template.ts';

declare module 'vitest' {
  interface ProvidedContext {
    template: string;
  }
}

let folder: string | undefined;

export async function setup(project: TestProject): Promise<void> {
  // Else each test file begins with a warning about the SDK's future.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
  folder = await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'lifeboat-template-'));
  await chmod(folder, 0o755);
  const template = join(folder, 'template');
  await prepareTemplate(template, { say: (line) => console.log(line) });
  project.provide('template', template);
}

export async function teardown(): Promise<void> {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
}
