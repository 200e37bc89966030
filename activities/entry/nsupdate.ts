/** BIND's nsupdate, which changes a zone by RFC 2136. Its key comes by its input: no argument and no file holds it. */
import { ApplicationFailure } from '@temporalio/common';
import type { DnsUpdateEntry } from '../../plan/entry.ts';
import { runTool } from '../child.ts';
import type { EntryRecord } from '../contract.ts';
import { failure } from '../failure.ts';
import { resolveSecret } from '../secrets.ts';
import type { Refusal } from './kind.ts';
import { placeOf } from './question.ts';

const program = 'nsupdate';

/** Seconds that it waits for the server. */
const answerSeconds = 10;

/**
 * The prerequisite holds only for this value, alone: an update with it is a compare-and-set. A TTL is not compared.
 *
 * @throws EntryRefused @throws EntryUnreachable
 */
export function update(entry: DnsUpdateEntry, before: EntryRecord, after: EntryRecord): Promise<undefined | Refusal> {
  const name = `${entry.name}.`;
  return tell(entry, [
    ['prereq yxrrset', name, entry.type, before.value],
    ['update delete', name, entry.type],
    ['update add', name, String(after.ttlSeconds), entry.type, after.value],
  ]);
}

/**
 * The same change, under prerequisites that contradict each other: it is always refused. BIND judges the key, and what it may change,
 * before it looks at them.
 *
 * @throws EntryRefused @throws EntryUnreachable
 */
export function rehearse(entry: DnsUpdateEntry, { value, ttlSeconds }: EntryRecord): Promise<undefined | Refusal> {
  const name = `${entry.name}.`;
  return tell(entry, [
    ['prereq nxdomain', name],
    ['prereq yxdomain', name],
    ['update delete', name, entry.type],
    ['update add', name, String(ttlSeconds), entry.type, value],
  ]);
}

/** @returns why a prerequisite did not hold, when one did not: then nothing was changed */
async function tell(entry: DnsUpdateEntry, commands: Line[]): Promise<undefined | Refusal> {
  const { server, zone, key } = entry;
  const secret = await keyOf(entry);
  const lines: Line[] = [
    ['server', server.host, String(server.port)],
    ['zone', zone],
    ['key', `${key.algorithm}:${key.name}`, secret],
    ...commands,
    ['send'],
  ];
  const input = lines.map(([command, ...words]) => `${[command, ...words.map(oneWord)].join(' ')}\n`).join('');
  // TCP: with UDP it sends the same again when an answer is late, and the second one is refused for the first one's success.
  const ended = await run(['-v', '-t', String(answerSeconds)], input);
  if (ended.code === 0) return undefined;
  const words = `${ended.stderr}\n${ended.stdout}`.replaceAll(secret, '…');
  if (/update failed: (NXRRSET|YXRRSET|NXDOMAIN|YXDOMAIN)/.test(words)) return { why: codeIn(words) };
  throw updateFailure(words, entry);
}

type Line = [command: string, ...words: string[]];

/** A line break would be another command. */
function oneWord(word: string): string {
  if (/^[A-Za-z0-9._:/+=-]+$/.test(word)) return word;
  throw failure(
    'PlanInvalid',
    'a word of the entry cannot be said to nsupdate: it holds characters that no name, address or key has. Correct entry in the plan.',
  );
}

async function keyOf({ key }: DnsUpdateEntry): Promise<string> {
  const secret = await resolveSecret(key.secret);
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(secret)) return secret;
  throw failure(
    'EntryRefused',
    `${key.secret} is no TSIG key: expected base64 in one line, as "secret" in what tsig-keygen prints. Write that alone into it.`,
  );
}

async function run(words: string[], input: string) {
  try {
    return await runTool(program, words, { input, withinMs: (answerSeconds + 5) * 1_000 });
  } catch (error) {
    if (error instanceof ApplicationFailure && error.type === 'NotPermitted')
      throw failure(
        'NotPermitted',
        `${program} cannot be run on this worker; expected it on its PATH. Install it: it is in the package bind9-dnsutils (Debian, Ubuntu) or bind-utils.`,
        error,
      );
    throw error;
  }
}

/** Says who has to act. @param words what nsupdate printed, without the key */
export function updateFailure(words: string, entry: DnsUpdateEntry): Error {
  const { server, zone, key, name, type } = entry;
  const place = `the DNS server ${placeOf(server)}`;
  if (/BADTIME/.test(words))
    return failure(
      'ClockSkewed',
      `${place} finds the clock of this worker wrong (BADTIME, ${new Date().toISOString()}): synchronise both, a signature is valid for 5 minutes (chronyc tracking).`,
    );
  if (/BADKEY|BADSIG|BADTRUNC|tsig/i.test(words))
    return failure(
      'EntryRefused',
      `${place} does not know the key ${key.name} (${key.algorithm}), or knows it with another secret than ${key.secret} (${codeIn(words)}). Compare both with its "key" clause.`,
    );
  if (/REFUSED/.test(words))
    return failure(
      'EntryRefused',
      `${place} does not let the key ${key.name} change ${name} (REFUSED). Allow it: update-policy { grant ${key.name} name ${name} ${type}; }; in the zone ${zone}.`,
    );
  if (/NOTAUTH|NOTZONE/.test(words))
    return failure(
      'EntryRefused',
      `${place} is not the primary server of the zone ${zone} (${codeIn(words)}). Correct entry.server or entry.zone in the plan.`,
    );
  if (/SERVFAIL/.test(words))
    return failure(
      'EntryUnreachable',
      `${place} could not make the change (SERVFAIL): see its log, often it cannot write the zone's journal.`,
    );
  return failure(
    'EntryUnreachable',
    `${place} did not take the change: ${lastLine(words)}. See whether it runs and can be reached over TCP from this worker; trying again is safe.`,
  );
}

function codeIn(words: string): string {
  return /update failed: (\S+)/.exec(words)?.[1] ?? lastLine(words);
}

function lastLine(words: string): string {
  const lines = words.split('\n').map((line) => line.replace(/^; /, '').trim());
  return lines.filter((line) => line !== '').at(-1) ?? 'it said nothing';
}
