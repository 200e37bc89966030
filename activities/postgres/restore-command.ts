/**
 * The restore_command of a server beside the live one. PostgreSQL reads any exit code from 1 to 125 as "the archive ends here", and
 * pgBackRest's codes for a store that does not answer lie in that range: an outage would end the recovery early. So:
 * 0 here it is; 1 the archive proves that it is not there; 200 the recovery cannot go on, stop the server.
 *
 * POSIX sh, because it runs once for each segment.
 */
import { readFile } from 'node:fs/promises';
import type { Outage } from '../outage.ts';
import { quoted } from '../quoted.ts';
import { type Places, writeWhole } from './scratch.ts';

export interface RestoreCommand {
  /** Defines `fetch_fast` and `fetch_proven`, which take a file's name and where to put it. */
  fetch: string;
  /** How long an outage is waited for from now on, for all files together, milliseconds. */
  outageWithinMs: number;
}

export async function writeRestoreCommand(places: Places, command: RestoreCommand): Promise<void> {
  const text = restoreCommandText(places, command, await secondsSinceBoot());
  await writeWhole(places.restoreCommand, text, 0o700);
}

/** It waits by itself, and leaves word of that. Whether it waits. */
export async function sayOutage(places: Places, outage: Outage): Promise<boolean> {
  const reason = (await readFile(places.reason, 'utf8').catch(() => '')).trim();
  const waits = reason.startsWith('waiting');
  if (waits) await outage.began(reason);
  else await outage.over();
  return waits;
}

/** A clock that nobody sets: the time of day may be put right in the middle of a recovery. */
export async function secondsSinceBoot(): Promise<number> {
  return Math.floor(Number.parseFloat(await readFile('/proc/uptime', 'utf8')));
}

/** Seconds: what an outage is given that begins when the time is nearly over; and how long a refusal is waited for. */
const mostGrace = 60;
const mostRefused = 60;
/** Seconds that a file may take before it is said that the server waits. */
const slow = 10;

/**
 * In this order: what can never pass, a refusal, an outage (its words come with others: an unreadable info file is also "missing"),
 * damage. What is not recognised is waited for like an outage, because waiting loses nothing. A refusal is waited for a little, because
 * stopping loses hours of replay; damage is read twice, because a network can damage too.
 * @param now seconds since boot
 * @see backups/pgbackrest-words.ts
 */
export function restoreCommandText(places: Places, { fetch, outageWithinMs }: RestoreCommand, now: number): string {
  const seconds = Math.max(1, Math.ceil(outageWithinMs / 1000));
  const grace = Math.min(mostGrace, Math.ceil(seconds / 10));
  return `#!/bin/sh
# Written by Lifeboat. Fetches one file of the WAL archive: "$1" is its name, "$2" where to put it.
# Exit codes: 0 here it is; 1 proven absent; 200 stop the recovery.
set -u
file=$1 to=$2
reason=${quoted(places.reason)}
said=${quoted(`${places.log}/restore-command.said`)}
absent=${quoted(places.absent)}
give_up_at=${now + seconds}
child=

${fetch}

# The server stops: nothing of this may stay behind.
trap 'test -n "$child" && kill "$child" 2>/dev/null; exit 143' TERM INT HUP QUIT

# A program is not started for each of thousands of segments to find nothing to do.
waits_no_longer() { if test -e "$reason"; then rm -f "$reason"; fi; }

run() {
  "$@" >"$said" 2>&1 &
  child=$!
  wait "$child"
  code=$?
  child=
  return "$code"
}
# Some shells call a file that cannot be opened code 1: it must be there before a command is run.
( : >"$said" ) 2>/dev/null || exit 200
full() {
  dd if=/dev/zero of="$said.probe" bs=65536 count=1 2>/dev/null
  code_of_probe=$?
  rm -f "$said.probe"
  test "$code_of_probe" != 0
}
waiting() {
  sleep "$1" &
  child=$!
  wait "$child"
  child=
}
say() {
  printf '%s: %s\\n' "$1" "$(grep -E 'ERROR|\\[[A-Za-z]+Error\\]' "$said" | head -n 2 | tr '\\n' ' ' | cut -c1-400)" >"$reason.new"
  mv -f "$reason.new" "$reason"
}
since_boot() { read -r now _ </proc/uptime; now=\${now%%.*}; }
# Timeline history files are never fetched ahead.
case $file in *.*) ahead=no ;; *) ahead=yes ;; esac
since_boot
began=$now
# An outage that begins late is waited for a little all the same.
test "$give_up_at" -ge "$((began + ${grace}))" || give_up_at=$((began + ${grace}))
refused_until=$((began + ${Math.min(mostRefused, seconds)}))
rest=1
damaged=0
while :; do
  if test "$ahead" = yes; then
    if run fetch_fast "$file" "$to"; then waits_no_longer; exit 0; fi
    since_boot
    # To ask again takes its time: that it takes long is said before.
    if test "$((now - began))" -ge ${slow}; then say "waiting for $file since $((now - began)) s"; fi
  fi
  run fetch_proven "$file" "$to"
  code=$?
  if test "$code" = 0; then waits_no_longer; exit 0; fi
  # On a full disk nothing is proven: what failed could not even say so.
  if full; then say "no room for $file"; exit 200; fi
  # A repository that had an error has proven nothing.
  if test "$code" = 1 && ! grep -qE '\\[[A-Za-z]+Error\\]' "$said"; then
    echo "$file" >>"$absent"
    waits_no_longer
    exit 1
  fi
  case $code in
    27 | 3[0-7] | 43 | 46 | 48 | 96 | 126 | 127) say "the backup tool cannot be used for $file"; exit 200 ;;
  esac
  if grep -qE 'No space left on device|Disk quota exceeded' "$said"; then say "no room for $file"; exit 200; fi
  since_boot
  waited=$((now - began))
  if grep -qiE 'unable to (verify|find hostname .* in) certificate|wrong version number|NoSuchBucket|HTTP request failed with 40[13]' "$said"; then
    if test "$now" -ge "$refused_until"; then say "the store refuses $file"; exit 200; fi
  elif ! grep -qiE '(HostConnect|Service|Protocol)Error|unable to connect|unable to get address|timeout|HTTP request failed|connection (reset|closed)|invalid xml|TLS' "$said"; then
    case $code in 26 | 28 | 29 | 44 | 95 | 99) damaged=$((damaged + 1)) ;;
      *)
        if grep -qiE '(Checksum|FileInvalid|Format|ArchiveMismatch|Crypto|JsonFormat)Error|(zst|lz4|gz|bz2) error|unable to flush|cipher header' "$said"; then
          damaged=$((damaged + 1))
        fi
        ;;
    esac
    if test "$damaged" -ge 2; then say "$file is damaged in the archive"; exit 200; fi
    if test "$damaged" = 1; then continue; fi
  fi
  if test "$now" -ge "$give_up_at"; then say "gave up after $waited s on $file"; exit 200; fi
  # Without its server, nobody waits for the file.
  kill -0 "$PPID" 2>/dev/null || exit 200
  say "waiting for $file since $waited s"
  waiting "$rest"
  test "$rest" -ge 5 || rest=$((rest + 1))
done
`;
}
