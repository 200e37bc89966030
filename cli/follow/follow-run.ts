import type { Mode } from '../../evidence/evidence.ts';
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
    const seen: { mode?: Mode } = {};
    const viewer = noting(seen, viewerOf(cli, engine, run, shown));
    const ending = await follow(engine.watch(run), viewer, stop.signal, cli.pace);
    if (ending === undefined) return detach(cli, run, shown, seen);
    if (shown === 'document') cli.terminal.result(JSON.stringify(runAsJson(run, ending)));
    return exitOfRun(ending.summary ?? ending);
  } finally {
    release();
  }
}

function noting(seen: { mode?: Mode }, viewer: Viewer): Viewer {
  return {
    ...viewer,
    saw(what) {
      if (what.evidence !== undefined) seen.mode = what.evidence.mode;
      viewer.saw(what);
    },
  };
}

function viewerOf(cli: Cli, engine: Engine, run: string, shown: Shown): Viewer {
  if (shown === 'screen') return screen(cli.terminal, run, engine.address);
  return shown === 'stream' ? stream(cli.terminal, run) : quiet(cli.terminal, engine.address);
}

function detach(cli: Cli, run: string, shown: Shown, { mode }: { mode?: Mode }): ExitName {
  // What a live run has done already is worth a look before it is taken back.
  const end =
    mode === 'live'
      ? `End it (shows first what it would take back and what would stay, and asks): lifeboat abort ${run}`
      : `Cancel it (it undoes and cleans up): temporal workflow cancel --workflow-id ${run}`;
  cli.terminal.passing('');
  cli.terminal.message(`\nYou have stopped looking; ${run} goes on.\nWatch it again: lifeboat watch ${run}\n${end}`);
  if (shown === 'document') cli.terminal.result(JSON.stringify({ run, status: 'running' }));
  return 'detached';
}
