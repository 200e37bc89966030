/** Secrets never belong into evidence. That none is in it is made sure of here, at the last door before it is stored. */

const removed = '[secret removed]';

/** What looks like a secret, wherever it came from: an error text of a driver, a command's last line. */
const shapes: [pattern: RegExp, replacement: string][] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, removed],
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@]+):[^\s@/]+@/gi, `$1:${removed}@`],
  [/\b(password|passwd|secret_?access_?key|api_?key)(\s*[=:]\s*)(?!\$\{)[^\s'",;&)]{3,}/gi, `$1$2${removed}`],
];

/** Shorter ones would be found in ordinary words. */
const shortest = 6;

/**
 * A copy of `value` in which no text holds one of `secrets`, nor anything that looks like one; and in how many texts some did.
 */
export function withoutSecrets<T>(value: T, secrets: readonly string[]): { clean: T; found: number } {
  const known = secrets.filter((one) => one.length >= shortest);
  let found = 0;
  const clean = (text: string): string => {
    const whole = known.reduce((rest, secret) => rest.replaceAll(secret, removed), text);
    const after = shapes.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), whole);
    if (after !== text) found += 1;
    return after;
  };
  return { clean: mapTexts(value, clean) as T, found };
}

function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((one) => mapTexts(one, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [change(key), mapTexts(one, change)]));
}
