import type { Cli } from '../cli.ts';
import type { Engine } from '../engine/engine.ts';
import { type ExitName, exitOfRun } from '../exit-codes.ts';
import { runAsJson } from '../run-as-json.ts';
import { follow, type Viewer } from './follow.ts';
import { quiet, screen } from './screen.ts';
import { stream } from './stream.ts';

/** `screen` for people, `stream` of JSON lines, or one JSON `document` at the end. */
export type Shown = 'screen' | 'stream' | 'document';

/** Follows a run to its end. Ctrl-C stops the looking, never the run. */
export async function followRun(cli: Cli, engine: Engine, run: string, shown: Shown): Promise<ExitName> {
  const stop = new AbortController();
  const release = cli.onInterrupt(() => stop.abort());
  try {
    const ending = await follow(engine.watch(run), viewer(cli, engine, run, shown), stop.signal, cli.pace);
    if (ending === undefined) return detach(cli, run, shown);
    if (shown === 'document') cli.terminal.result(JSON.stringify(runAsJson(run, ending)));
    return exitOfRun(ending.summary ?? ending);
  } finally {
    release();
  }
}

function viewer(cli: Cli, engine: Engine, run: string, shown: Shown): Viewer {
  if (shown === 'screen') return screen(cli.terminal, run, engine.address);
  return shown === 'stream' ? stream(cli.terminal, run) : quiet(cli.terminal, engine.address);
}

function detach(cli: Cli, run: string, shown: Shown): ExitName {
  cli.terminal.passing('');
  cli.terminal.message(
    `\nYou have stopped looking; ${run} goes on.\nWatch it again: lifeboat watch ${run}\nCancel it (it undoes and cleans up): temporal workflow cancel --workflow-id ${run}`,
  );
  if (shown === 'document') cli.terminal.result(JSON.stringify({ run, status: 'running' }));
  return 'detached';
}
