#!/usr/bin/env node
import type { Cli } from './cli.ts';
import { askSecret, confirm } from './confirm.ts';
import { exitCodes } from './exit-codes.ts';
import { usualPace } from './follow/follow.ts';
import { run } from './program.ts';
import { openTerminal } from './terminal.ts';

// The AWS SDK's warning of a Node that it will want one day is no part of an answer.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

const cli: Cli = {
  terminal: openTerminal(process.stdout, process.stderr, process.env),
  environment: process.env,
  // Loaded when it is needed: help and plan checks answer at once.
  connect: async (profile) => (await import('./engine/temporal.ts')).openEngine(profile),
  onInterrupt(stop) {
    // Once: a second Ctrl-C ends the program at once, whatever it waits for.
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
    return () => {
      process.removeListener('SIGINT', stop);
      process.removeListener('SIGTERM', stop);
    };
  },
  attended: process.stdin.isTTY === true && process.stdout.isTTY === true,
  confirm: (question) => confirm(question, process.stdin, process.stdout),
  askSecret: (question) => askSecret(question, process.stdin, process.stderr),
  pace: usualPace,
  exit(code) {
    process.exitCode = code;
  },
};

// `lifeboat status 2>&1 | head -1` closes both: that is no mistake of anybody's. A run that was followed goes on, and nobody knows its end.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? exitCodes.detached);
    throw error;
  });

await run(cli, process.argv.slice(2));
