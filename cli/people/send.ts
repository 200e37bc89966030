/** Sends what a person says, and tells what became of it. */
import type { Reply } from '../../activities/people/reply.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import type { Signature, Statement } from '../../evidence/signing.ts';
import type { Message } from '../../workflows/messages.ts';
import { type Cli, leave, type UsualOptions } from '../cli.ts';
import { Silence, type WatchedRun } from '../engine/engine.ts';
import { type IdentityOptions, type Me, whoAmI } from '../keys/me.ts';
import { Problem } from '../problem.ts';
import { itIsOver } from './run-asked.ts';

export interface Sending {
  evidence: Evidence;
  reason: string | undefined;
  /** What is said, as it is signed. */
  statement(who: { by: string; reason: string | undefined }): Statement;
  /** Short code of what is answered. */
  code: string;
  message(said: Said): Message;
}

/** What every message carries. */
export interface Said {
  by: string;
  channel: 'cli';
  reason?: string;
  signature?: Signature;
}

/** @throws Problem for everything but an answer that says yes */
export async function send(
  cli: Cli,
  watched: WatchedRun,
  options: UsualOptions & IdentityOptions,
  { evidence, statement, reason, code, message }: Sending,
): Promise<void> {
  const me = await whoAmI(cli, options);
  if (me.sign === undefined && evidence.mode === 'live') cli.terminal.message(unsigned(me));
  const what = statement({ by: me.person, reason });
  const signature = me.sign?.(what);
  const said: Said = {
    by: me.person,
    channel: 'cli',
    ...(reason === undefined ? {} : { reason }),
    ...(signature === undefined ? {} : { signature }),
  };
  const reply = await patiently(cli, watched.say(message(said)));
  const { kind, run, about } = what;
  const answer = await wordsOf(watched, kind, reply);
  const sent = { run, kind, about, code, by: me.person, signed: signature !== undefined, answer };
  cli.terminal.result(options.json ? JSON.stringify(sent) : answer);
  leave(cli, 'good');
}

function unsigned({ person }: Me): string {
  return `Not signed: no key of ${person} lies here. A live run counts what is signed, unless its plan says "unsigned: allowed" (lifeboat keys create).`;
}

async function patiently<T>(cli: Cli, reply: Promise<T>): Promise<T> {
  const timer = setTimeout(() => {
    cli.terminal.message('waiting for a control worker to answer ...');
  }, cli.pace.signOfLife.afterMs);
  try {
    return await reply;
  } finally {
    clearTimeout(timer);
  }
}

async function wordsOf(watched: WatchedRun, kind: string, reply: Reply): Promise<string> {
  switch (reply.kind) {
    case 'answered':
      return reply.words;
    case 'refused':
      throw new Problem('notAccepted', reply.words, 'Refused');
    case 'over':
      throw await itIsOver(watched);
    case 'silent':
      throw await unknownFate(watched, kind, reply.why);
  }
}

/** Nobody has answered; who it was, Temporal or the workers, is asked once more. */
async function unknownFate(watched: WatchedRun, kind: string, why: string): Promise<Problem> {
  const unknown = `Whether your ${kind} has arrived is not known, and it may still be counted: look with "lifeboat status", and if it is not there say it again. Nobody counts twice.`;
  try {
    const { status } = await watched.state();
    if (status !== 'running') return await itIsOver(watched);
    return new Problem('nobodyWorks', `No control worker has answered (${why}). ${unknown}`);
  } catch (error) {
    if (!(error instanceof Silence)) throw error;
    return new Problem('engineUnreachable', `${error.message}. ${unknown}`);
  }
}
