/** Evidence whose every text is as bad as it can be. */
import fc from 'fast-check';
import type { Evidence } from '../../../evidence/evidence.ts';
import { peopleSamples } from './people-samples.ts';
import { samples as machines } from './samples.ts';

const samples = { ...machines, ...peopleSamples };

const attacks = [
  '<script>alert(1)</script>',
  '</style><script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '${alert(1)}',
  '](javascript:alert(1)) [x](http://evil.example) ![](http://evil.example/x.png)',
  '| a | b |\n| --- | --- |',
  '```\n# heading\n<details open>',
  '\u001b[2J\u001b]0;owned\u0007\r\nPROVEN',
  '\u202eevil\u2066\u200b',
  '\ud800 lone',
  '__proto__',
  'constructor',
];

export const hostileText = fc.oneof(fc.constantFrom(...attacks), fc.string({ unit: 'binary' }), fc.string());

/** Keys whose values are words of a closed list, or numbers of the machine; all other texts come from outside. */
const closed = new Set([
  'schema',
  'outcome',
  'flags',
  'mode',
  'state',
  'kind',
  'group',
  'chosenBy',
  'unit',
  'channel',
  'signed',
  'delivered',
  'action',
  'offers',
  'wants',
]);

/** Whose names come from outside as well. */
const open = new Set(['subject', 'shown', 'alternatives']);

function replaced(value: unknown, text: () => string, key = ''): unknown {
  if (closed.has(key)) return value;
  if (typeof value === 'string') return key === 'name' && isPhase(value) ? value : text();
  if (Array.isArray(value)) return value.map((one) => replaced(one, text));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [open.has(key) ? text() : name, replaced(one, text, name)]),
  );
}

function isPhase(text: string): boolean {
  return ['assessment', 'database', 'application', 'validation', 'traffic'].includes(text);
}

/** Any sample, with its texts (times, names, messages, paths, labels) replaced. */
export const hostileEvidence: fc.Arbitrary<Evidence> = fc
  .tuple(fc.constantFrom(...Object.keys(samples)), fc.array(hostileText, { minLength: 1, maxLength: 8 }))
  .map(([name, texts]) => {
    let next = 0;
    const text = () => texts[next++ % texts.length] ?? '';
    return replaced(samples[name]?.(), text) as Evidence;
  });
