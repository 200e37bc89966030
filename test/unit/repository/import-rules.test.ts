/** The rules of who may import whom are shown to bite: on a made-up tree with the repository's own configuration. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const biome = join(repository, 'node_modules/@biomejs/biome/bin/biome');

const library = ['parts', 'plan', 'recovery', 'evidence', 'activities', 'workflows'];
const mayImport: Record<string, string[]> = {
  parts: [],
  plan: [],
  recovery: [],
  evidence: [],
  activities: ['plan', 'recovery', 'evidence'],
  workflows: ['plan', 'recovery', 'evidence'],
  workers: library,
  cli: library,
  lab: library,
  scripts: [...library, 'lab'],
};
const folders = Object.keys(mayImport);

let tree: string;
/** Files in which Biome found something, by rule. */
let found: Record<string, Set<string>>;

beforeAll(async () => {
  tree = await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'lifeboat-imports-'));
  await copyConfiguration();
  for (const folder of folders) {
    for (const other of [...folders, 'test']) {
      if (other === folder) continue;
      await write(`${folder}/of-${other}.ts`, `../${other}/thing.ts`);
      await write(`${folder}/deep/of-${other}.ts`, `../../${other}/deep/thing.ts`);
    }
  }
  await write('workflows/of-contract.ts', '../activities/contract.ts');
  await write('workflows/of-shapes.ts', '../activities/shapes.ts');
  for (const folder of ['workflows', 'evidence', 'recovery']) await write(`${folder}/of-node.ts`, 'node:fs');
  for (const folder of ['workflows', 'evidence', 'recovery']) await write(`${folder}/of-zod.ts`, 'zod');
  await write('plan/circle.ts', './circle-too.ts');
  await write('plan/circle-too.ts', './circle.ts');
  found = await lint();
}, 60_000);

afterAll(() => rm(tree, { recursive: true, force: true }));

describe.each(folders)('%s', (folder) => {
  const allowed = mayImport[folder] ?? [];
  const forbidden = [...folders, 'test'].filter((other) => other !== folder && !allowed.includes(other));

  test.each(forbidden)('may not import %s', (other) => {
    expect(found.noRestrictedImports).toContain(`${folder}/of-${other}.ts`);
    expect(found.noRestrictedImports).toContain(`${folder}/deep/of-${other}.ts`);
  });
});

const permissions = Object.entries(mayImport).flatMap(([folder, allowed]) => allowed.map((other) => [folder, other]));

test.each(permissions)('%s may import %s', (folder, other) => {
  expect(found.noRestrictedImports).not.toContain(`${folder}/of-${other}.ts`);
  expect(found.noRestrictedImports).not.toContain(`${folder}/deep/of-${other}.ts`);
});

test('workflows may see what they can ask of activities, and its shapes', () => {
  expect(found.noRestrictedImports).not.toContain('workflows/of-contract.ts');
  expect(found.noRestrictedImports).not.toContain('workflows/of-shapes.ts');
});

test.each(['workflows', 'evidence', 'recovery'])('%s does no input or output', (folder) => {
  expect(found.noRestrictedImports).toContain(`${folder}/of-node.ts`);
  expect(found.noRestrictedImports).toContain(`${folder}/of-zod.ts`);
});

test('files that import each other are found', () => {
  expect(found.noImportCycles).toEqual(new Set(['plan/circle.ts', 'plan/circle-too.ts']));
});

/** What git ignores plays no part in a tree that git does not know. */
async function copyConfiguration(): Promise<void> {
  const { vcs: _, ...configuration } = JSON.parse(await readFile(join(repository, 'biome.json'), 'utf8'));
  await writeFile(join(tree, 'biome.json'), JSON.stringify(configuration));
  await cp(join(repository, 'package.json'), join(tree, 'package.json'));
}

async function write(file: string, source: string): Promise<void> {
  await mkdir(dirname(join(tree, file)), { recursive: true });
  await writeFile(join(tree, file), `import { thing } from '${source}';\n\nexport const other = thing;\n`);
}

async function lint(): Promise<Record<string, Set<string>>> {
  const rules = ['--only=style/noRestrictedImports', '--only=suspicious/noImportCycles'];
  const { stdout } = await execa(
    process.execPath,
    [biome, 'lint', ...rules, '--reporter=json', '--max-diagnostics=none', '.'],
    { cwd: tree, reject: false },
  );
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { category: string; location: { path: string } }[] };
  const byRule: Record<string, Set<string>> = { noRestrictedImports: new Set(), noImportCycles: new Set() };
  for (const { category, location } of diagnostics) {
    const path = typeof location.path === 'string' ? location.path : JSON.stringify(location.path);
    byRule[category.split('/').at(-1) ?? category]?.add(path.replace(/^\.\//, ''));
  }
  return byRule;
}
