const units = { B: 0, kB: 1, MB: 2, GB: 3, TB: 4 } as const;

/** `1GB`, `512 MB` in bytes, in powers of 1024 as PostgreSQL counts them; `undefined` when the text is not a size. */
export function bytesOf(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*(B|kB|MB|GB|TB)$/.exec(text.trim()) ?? [];
  if (number === undefined || unit === undefined) return undefined;
  return Math.round(Number(number) * 1024 ** units[unit as keyof typeof units]);
}
