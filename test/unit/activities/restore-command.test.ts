import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { restoreCommandText, secondsSinceBoot } from '../../../activities/postgres/restore-command.ts';
import { type Places, placesOf } from '../../../activities/postgres/scratch.ts';
import { quoted } from '../../../activities/quoted.ts';

const segment = '000000010000000000000007';
/** A busy machine takes its time to start a process, and to bury one. */
const patience = { timeout: 20_000 };

describe('the restore_command', () => {
  let places: Places;
  let tool: string;

  beforeEach(async () => {
    places = placesOf(await mkdtemp(join(tmpdir(), "lifeboat it's here ")));
    await mkdir(places.log);
    tool = join(places.directory, 'backup-tool');
  });
  afterEach(() => rm(places.directory, { recursive: true, force: true }));

  /** A backup tool that behaves as the sh text says; `$1` is `fast` or `proven`, `$2` the file, `$3` where to put it. */
  async function given(text: string, outageWithinMs = 1_000): Promise<void> {
    await writeFile(tool, `#!/bin/sh\necho "$1 $2" >>${quoted(`${tool}.calls`)}\n${text}\n`);
    await chmod(tool, 0o755);
    const fetch = `fetch_fast() { exec ${quoted(tool)} fast "$1" "$2"; }\nfetch_proven() { exec ${quoted(tool)} proven "$1" "$2"; }`;
    await writeFile(
      places.restoreCommand,
      restoreCommandText(places, { fetch, outageWithinMs }, await secondsSinceBoot()),
    );
    await chmod(places.restoreCommand, 0o755);
  }
  const fetchFile = async (file = segment) =>
    (await execa(places.restoreCommand, [file, join(places.directory, 'to here')], { reject: false })).exitCode;
  const calls = async () => (await readFile(`${tool}.calls`, 'utf8')).trim().split('\n');
  const reason = () => readFile(places.reason, 'utf8');

  it('says 0 and leaves no reason behind when the file is there', async () => {
    await given('echo content >"$3"');
    await writeFile(places.reason, 'an old reason');
    expect(await fetchFile()).toBe(0);
    expect(await readFile(join(places.directory, 'to here'), 'utf8')).toBe('content\n');
    await expect(reason()).rejects.toThrow('ENOENT');
  });

  it('fetches a history file without the queue', async () => {
    await given('exit 0');
    expect(await fetchFile('00000002.history')).toBe(0);
    expect(await calls()).toEqual(['proven 00000002.history']);
  });

  it('says 1 only when the store was really asked, and notes which file is absent', async () => {
    await given('exit 1');
    expect(await fetchFile()).toBe(1);
    expect(await calls()).toEqual([`fast ${segment}`, `proven ${segment}`]);
    expect(await readFile(places.absent, 'utf8')).toBe(`${segment}\n`);
  });

  it('does not take a silent background process for an absent file', async () => {
    await given('test "$1" = proven || exit 1; echo content >"$3"');
    expect(await fetchFile()).toBe(0);
  });

  it('does not take "absent" from a repository that had an error', async () => {
    await given('echo "WARN: repo1: [HostConnectError] unable to connect to localhost" >&2; exit 1');
    expect(await fetchFile()).toBe(200);
    expect(await reason()).toMatch(/^gave up after \d+ s on 0{7}1.*HostConnectError/);
  });

  it.each([49, 101, 103, 55, 41, 124, 39])(
    'waits for an outage (code %i) and goes on when it is over',
    async (code) => {
      const back = join(places.directory, 'back');
      await given(
        `test -e ${quoted(back)} && exit 0; test -e ${quoted(`${back}.soon`)} && touch ${quoted(back)}
touch ${quoted(`${back}.soon`)}; echo 'ERROR: [0${code}]: unable to connect to the store' >&2; exit ${code}`,
        20_000,
      );
      expect(await fetchFile()).toBe(0);
      expect((await calls()).length).toBeGreaterThan(2);
    },
  );

  it('gives up with 200, never with a code that PostgreSQL reads as the end of the WAL', async () => {
    await given('echo "ERROR: [103]: unable to find a valid repository" >&2; exit 103');
    expect(await fetchFile()).toBe(200);
    expect(await reason()).toContain('unable to find a valid repository');
  });

  it.each([
    [
      'a broken file by its words',
      'ERROR: [042]: unable to get X\n repo1: X [FormatError] zst error: [-20] Data corruption detected',
      42,
    ],
    ['a broken file by its code', 'ERROR: [095]: unable to flush', 95],
    ['a wrong checksum', 'ERROR: [026]: actual checksum', 26],
  ])('stops at once for %s', async (_what, words, code) => {
    await given(`cat >&2 <<'END'\n${words}\nEND\nexit ${code}`, 60_000);
    expect(await fetchFile()).toBe(200);
    expect(await reason()).toContain(`${segment} is damaged in the archive`);
  });

  it('waits when a store that is away makes everything look broken', async () => {
    await given(`echo 'WARN: repo1: [FormatError] HostConnectError: unable to connect to store' >&2; exit 29`);
    expect(await fetchFile()).toBe(200);
    expect(await reason()).toContain('gave up');
  });

  it.each([31, 37, 127])('stops at once when the tool itself cannot be used (code %i)', async (code) => {
    await given(`echo 'ERROR: [0${code}]: option' >&2; exit ${code}`, 60_000);
    expect(await fetchFile()).toBe(200);
    expect(await reason()).toContain('cannot be used');
  });

  it('stops at once when there is no room', async () => {
    await given(`echo 'ERROR: [064]: unable to write: [28] No space left on device' >&2; exit 64`, 60_000);
    expect(await fetchFile()).toBe(200);
    expect(await reason()).toContain('no room');
  });

  it('ends at once, with what it started, when the server stops it', async () => {
    await given('exec sleep 60', 60_000);
    const child = spawn(places.restoreCommand, [segment, 'x'], { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.on('exit', resolve));
    await expect.poll(calls, patience).toHaveLength(1);
    const helper = (await execa('pgrep', ['-P', String(child.pid)])).stdout.trim();
    child.kill('SIGTERM');
    expect(await ended).toBe(143);
    await expect.poll(async () => (await execa('ps', ['-p', helper], { reject: false })).exitCode, patience).toBe(1);
  });
});
