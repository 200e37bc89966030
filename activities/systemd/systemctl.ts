/** systemctl, by the words of the permit file: with sudo where something is changed, without it where it is only asked. */
import { userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { runTool } from '../child.ts';
import { failure } from '../failure.ts';
import { busPathOf, properties, readShown, type Shown } from './shown.ts';
import { wantsPassword } from './sudo-listing.ts';

/**
 * Everything that is ever told to systemd. Never waited for by systemctl: whoever waits for a job of systemd's as root cannot be ended by an
 * ordinary user, and the job goes on anyway.
 */
const orders = {
  start: (unit: string) => ['--no-block', 'start', unit],
  restart: (unit: string) => ['--no-block', 'restart', unit],
  stop: (unit: string) => ['--no-block', 'stop', unit],
  'reset-failed': (unit: string) => ['reset-failed', unit],
  'daemon-reload': () => ['daemon-reload'],
} as const;

type Order = keyof typeof orders;

/** Milliseconds; it only passes the order on. */
const withinMs = 30_000;

/** @throws ApplicationUnfit systemd does not answer, or refuses */
export async function tellSystemd(words: readonly string[], order: Order, unit: string): Promise<void> {
  const [file = '', ...rest] = [...words, ...orders[order](unit)];
  const { code, stderr } = await runTool(file, rest, { withinMs });
  if (code === 0) return;
  throw failure(
    'ApplicationUnfit',
    `${[file, ...rest].join(' ')} ended with exit code ${code}, expected 0. It said: ${oneLine(stderr)}.`,
  );
}

/** @throws ApplicationUnfit systemd does not answer */
export async function showUnit(words: readonly string[], unit: string): Promise<Shown> {
  const [file = '', ...rest] = asking(words);
  const { code, stdout, stderr } = await runTool(file, [...rest, 'show', unit, `--property=${properties.join(',')}`], {
    withinMs,
  });
  if (code === 0) return readShown(stdout);
  throw failure(
    'ApplicationUnfit',
    `${file} show ${unit} ended with exit code ${code}, expected 0. It said: ${oneLine(stderr)}. See whether systemd and its message bus (dbus) run on this host.`,
  );
}

/** The conditions of a unit, as JSON: systemctl itself cannot print them. @throws ApplicationUnfit */
export async function conditionsOf(words: readonly string[], unit: string): Promise<string> {
  const [file, rest] = beside(words, 'busctl');
  const property = [busPathOf(unit), 'org.freedesktop.systemd1.Unit', 'Conditions'];
  const ask = ['--json=short', 'get-property', 'org.freedesktop.systemd1', ...property];
  const { code, stdout, stderr } = await runTool(file, [...rest, ...ask], { withinMs });
  if (code === 0) return stdout;
  throw failure(
    'ApplicationUnfit',
    `the conditions of ${unit} cannot be read: ${file} ended with exit code ${code}, expected 0. It said: ${oneLine(stderr)}.`,
  );
}

/** The journal's last lines of a unit; none where this user may not read it. */
export async function journalOf(words: readonly string[], unit: string): Promise<string[]> {
  const [file, rest] = beside(words, 'journalctl');
  const ask = ['--unit', unit, '--lines=5', '--output=cat', '--no-pager', '--quiet'];
  const { code, stdout } = await runTool(file, [...rest, ...ask], { withinMs: 10_000 }).catch(() => nothing);
  if (code !== 0) return [];
  return stdout
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('-- '))
    .map((line) => line.slice(0, 500));
}

const nothing = { code: 1, stdout: '' };

/** Another program of systemd's, which lies beside systemctl, by the same words. */
function beside(words: readonly string[], program: string): [file: string, rest: string[]] {
  const asked = asking(words);
  const [file = '', ...rest] = [...asked.slice(0, -1), join(dirname(asked.at(-1) ?? ''), program)];
  return [file, rest];
}

/** To ask needs no right: without sudo and its options. */
function asking(words: readonly string[]): string[] {
  if (!byCommandOf(words)) return [...words];
  return words.slice(words.findIndex((word, index) => index > 0 && !word.startsWith('-')));
}

function byCommandOf([file = '']: readonly string[]): boolean {
  return basename(file) === 'sudo';
}

/**
 * Which orders sudo would refuse, by its own answer: nothing is run. Undefined where it is not sudo that decides.
 *
 * @returns lines for sudoers, one for each order that is missing
 */
export async function refusedBySudo(words: readonly string[], unit: string): Promise<string[] | undefined> {
  if (!byCommandOf(words)) return undefined;
  const [sudo = ''] = words;
  const command = asking(words);
  const { stdout: listing } = await runTool(sudo, ['-n', '-l'], { withinMs });
  const refused: string[] = [];
  for (const order of Object.values(orders)) {
    const wanted = [...command, ...order(unit)];
    const { code } = await runTool(sudo, ['-n', '-l', ...wanted], { withinMs });
    if (code !== 0 || wantsPassword(listing, wanted.join(' ')))
      refused.push(`${userInfo().username} ALL=(root) NOPASSWD: ${wanted.map(inSudoers).join(' ')}`);
  }
  return refused;
}

/** Characters that would mean something else there. */
function inSudoers(word: string): string {
  return word.replace(/[,:=\\]/g, '\\$&');
}

function oneLine(text: string): string {
  return text.trim().replace(/\s+/g, ' ').slice(0, 400) || 'nothing';
}
