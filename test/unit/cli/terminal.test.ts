import { expect, test } from 'vitest';
import { progressInWords, progressLine } from '../../../cli/follow/progress.ts';
import { openTerminal, wantsColor } from '../../../cli/terminal.ts';
import { evidence, step } from './stage.ts';

function stream(isTTY: boolean) {
  const written: string[] = [];
  return { written, isTTY, columns: 20, write: (text: string) => written.push(text) };
}

test.each([
  ['on a terminal', true, {}, true],
  ['into a file', false, {}, false],
  ['with NO_COLOR', true, { NO_COLOR: '1' }, false],
  ['with an empty NO_COLOR', true, { NO_COLOR: '' }, true],
  ['on a dumb terminal', true, { TERM: 'dumb' }, false],
])('colour %s', (_where, isTTY, environment, color) => {
  expect(wantsColor({ isTTY }, environment)).toBe(color);
});

test('a passing line is taken away before the next result, and never wraps', () => {
  const [out, err] = [stream(true), stream(true)];
  const terminal = openTerminal(out, err, {});
  terminal.passing('a passing line that is too long for it');
  terminal.result('done');
  expect(out.written).toEqual(['a passing line that', '\r\u001b[2K', 'done\n']);
});

test('words of others steer nothing on the terminal, colours stay, and a file gets the bytes as they are', () => {
  const attack = '\u001b]0;owned\u0007\u001b[2J\u202eabc\r\u009b1A';
  const [out, err, file] = [stream(true), stream(true), stream(false)];
  const terminal = openTerminal(out, err, {});
  terminal.result(`\u001b[1;31mred\u001b[0m\n\t${attack}`);
  terminal.message(attack);
  terminal.passing('\u001b[2Jx');
  openTerminal(file, err, {}).result(attack);
  const harmless = '⟨1B⟩]0;owned⟨7⟩⟨1B⟩[2J⟨202E⟩abc⟨D⟩⟨9B⟩1A'.replace('⟨7⟩', '⟨07⟩').replace('⟨D⟩', '⟨0D⟩');
  expect(out.written).toEqual([`\u001b[1;31mred\u001b[0m\n\t${harmless}\n`, '⟨1B⟩[2Jx']);
  expect(err.written[0]).toBe(`${harmless}\n`);
  expect(file.written).toEqual([`${attack}\n`]);
});

test('into a file no passing line is written', () => {
  const [out, err] = [stream(false), stream(false)];
  const terminal = openTerminal(out, err, {});
  terminal.passing('passing');
  terminal.message('a message');
  expect(out.written).toEqual([]);
  expect(err.written).toEqual(['a message\n']);
});

test.each([
  [{ percent: 43.7, bytes: 512_000_000, of: 1_100_000_000 }, '43 %, 512 MB of 1.1 GB'],
  [{ bytes: 512_000_000 }, '512 MB'],
  [{ lsn: '0/59E1A40', reason: 'the archive does not answer' }, 'at 0/59E1A40, the archive does not answer'],
  [{ files: 12, phase: 'copying' }, 'files 12, phase copying'],
  ['restoring', 'restoring'],
  [{}, undefined],
  [null, undefined],
  [undefined, undefined],
  [{ percent: {}, bytes: [] }, undefined],
])('progress %j reads "%s"', (progress, words) => {
  expect(progressInWords(progress)).toBe(words);
});

test('what goes on is named by its step, with the attempt and why the one before failed', () => {
  const page = evidence({ steps: [step({ id: 'database/restore', name: 'Restore beside', state: 'running' })] });
  const pending = [
    { id: 'database/restore.2', attempt: 1, started: true, progress: { percent: 5 } },
    { id: 'database/other', attempt: 2, started: false, lastFailure: 'connection refused' },
    { id: 'validation/pages', attempt: 1, started: false },
  ];
  expect(progressLine(page, pending)).toBe(
    'Restore beside: 5 %   database/other: attempt 2, tries again after: connection refused   validation/pages: waits for a worker',
  );
});
