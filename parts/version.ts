/** Versions as programs print them: numbers between dots, the rest does not count. */

/** Negative when `a` is older than `b`; missing numbers count as 0, so that 15 equals 15.0. */
export function compareVersions(a: string, b: string): number {
  const left = numbersOf(a);
  const right = numbersOf(b);
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Newest first, by the first number in each path: `/usr/lib/postgresql/16/bin` before `/usr/lib/postgresql/15/bin`. */
export function newestFirst(paths: string[]): string[] {
  const versionOf = (path: string) => /\d+(?:\.\d+)*/.exec(path)?.[0] ?? '0';
  return paths.toSorted((a, b) => compareVersions(versionOf(b), versionOf(a)));
}

function numbersOf(version: string): number[] {
  const leading = /\d+(?:\.\d+)*/.exec(version)?.[0] ?? '0';
  return leading.split('.').map(Number);
}
