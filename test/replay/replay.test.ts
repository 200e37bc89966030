/** Runs that were recorded on a real estate must replay on today's workflows: a deploy meets runs in flight. */
import { readdir, readFile } from 'node:fs/promises';
import { Worker } from '@temporalio/worker';
import { expect, inject, test } from 'vitest';
import { runbooks } from '../../workflows/messages.ts';
import { quietRuntime } from '../quiet-runtime.ts';

quietRuntime();

const folder = new URL('./histories/', import.meta.url);
const files = (await readdir(folder)).filter((name) => name.endsWith('.json'));

const replay = (history: unknown) =>
  Worker.runReplayHistory({ workflowBundle: { codePath: inject('workflowBundle') } }, history, 'orders-replayed');

test('there are recorded runs of every runbook', () => {
  for (const runbook of Object.keys(runbooks))
    expect(files.filter((name) => name.startsWith(runbook)).length).toBeGreaterThan(0);
});

test.each(files)('%s replays', async (name) => {
  await replay(JSON.parse(await readFile(new URL(name, folder), 'utf8')));
});

test.each(files)('%s is refused once a step has another name', async (name) => {
  const text = await readFile(new URL(name, folder), 'utf8');
  const [, step] = /"activityId":\s*"(assessment\/[a-z0-9-]+)"/.exec(text) ?? [];
  const renamed = text.replaceAll(`"${step}"`, '"assessment/some-other-step"');
  expect(renamed).not.toBe(text);
  await expect(replay(JSON.parse(renamed))).rejects.toThrow();
});
