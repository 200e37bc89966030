/** What a restore or a backup says of how far it is: the part that is done, never the tool's own lines. */
export interface Done {
  percent?: number;
  /** Bytes done; only where the whole is known. */
  bytes?: number;
}

/**
 * Reads the log's last lines, again and again; what was reached is not taken back by lines that tell no percentage.
 *
 * @param total bytes of the whole, where it is known
 */
export function progressOf(total?: number): (lines: readonly string[]) => Done {
  let percent: number | undefined;
  return (lines) => {
    const told = lines.map(percentIn).filter((one) => one !== undefined);
    // Not the furthest of all time: an attempt after another one begins anew, in the same log.
    if (told.length > 0) percent = Math.max(...told);
    if (percent === undefined) return {};
    return { percent, ...(total === undefined ? {} : { bytes: Math.round((total * percent) / 100) }) };
  };
}

/** `P02 DETAIL: restore file .../base/5/1249 (8KB, 14.13%) checksum ...`; its files are done side by side, so not in order. */
function percentIn(line: string): number | undefined {
  const [, found] = / ([\d.]+)%\)/.exec(line) ?? [];
  return found === undefined ? undefined : Number(found);
}
