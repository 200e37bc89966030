import { describe, expect, it } from 'vitest';
import { tablespaceIn, tellsOfKill, wordsIn } from '../../../activities/postgres/server-log.ts';

/** As PostgreSQL 15 printed them. */
const line = (text: string) => `2026-11-21 14:31:20.103 UTC [4711] ${text}`;

describe("what the server's log says of a recovery", () => {
  it('gives the stopping point, the last timeline and the last commit', () => {
    const log = [
      line('LOG:  starting point-in-time recovery to WAL location (LSN) "0/C00110"'),
      line('LOG:  restored log file "000000010000000000000005" from archive'),
      line('LOG:  restored log file "000000020000000000000006" from archive'),
      line('LOG:  recovery stopping before commit of transaction 735, time 2026-11-21 14:31:19.5+00'),
      line('LOG:  pausing at the end of recovery'),
    ].join('\n');
    expect(wordsIn(log)).toEqual({
      stopping: 'recovery stopping before commit of transaction 735, time 2026-11-21 14:31:19.5+00',
      lastTimeline: 2,
      lastCommitAt: '2026-11-21T14:31:19.5Z',
      raised: {},
      fatal: [],
    });
  });

  it('does not take the greeting of an early connection for the end', () => {
    expect(wordsIn(line('FATAL:  the database system is not yet accepting connections')).fatal).toEqual([]);
    expect(wordsIn(line('FATAL:  recovery ended before configured recovery target was reached')).fatal).toEqual([
      'recovery ended before configured recovery target was reached',
    ]);
  });

  it('tells a damaged record from the end of the WAL', () => {
    expect(wordsIn(line('LOG:  incorrect resource manager data checksum in record at 0/A1')).damage).toContain('0/A1');
    expect(wordsIn(line('LOG:  redo starts at 0/A1')).damage).toBeUndefined();
  });

  it('gives what a standby is asked to raise', () => {
    const log = [
      line('WARNING:  hot standby is not possible because of insufficient parameter settings'),
      line('DETAIL:  max_connections = 40 is a lower setting than on the primary server, where its value was 97.'),
    ].join('\n');
    expect(wordsIn(log).raised).toEqual({ max_connections: 97 });
  });
});

describe('whether a server that is gone was killed', () => {
  const replaying = line('LOG:  restored log file "000000010000000000000005" from archive');

  it('was, when it ended without a word, or one of its processes met signal 9', () => {
    expect(tellsOfKill('')).toBe(true);
    expect(tellsOfKill(replaying)).toBe(true);
    expect(
      tellsOfKill([replaying, line('FATAL:  terminating connection due to unexpected postmaster exit')].join('\n')),
    ).toBe(true);
    expect(
      tellsOfKill(
        [
          line('LOG:  startup process (PID 4712) was terminated by signal 9: Killed'),
          line('LOG:  shutting down due to startup process failure'),
          line('LOG:  database system is shut down'),
        ].join('\n'),
      ),
    ).toBe(true);
  });

  it('was not, when it gave a reason or was told to stop', () => {
    expect(tellsOfKill([replaying, line('LOG:  database system is shut down')].join('\n'))).toBe(false);
    expect(tellsOfKill(line('FATAL:  configuration file "postgresql.conf" contains errors'))).toBe(false);
    expect(
      tellsOfKill(
        [
          line('FATAL:  recovery ended before configured recovery target was reached'),
          line('LOG:  startup process (PID 4712) exited with exit code 1'),
        ].join('\n'),
      ),
    ).toBe(false);
    expect(
      tellsOfKill(
        [
          line('LOG:  startup process (PID 4712) was terminated by signal 11: Segmentation fault'),
          line('LOG:  database system is shut down'),
        ].join('\n'),
      ),
    ).toBe(false);
  });
});

describe('a tablespace that the replay was not let create', () => {
  const refusal = (place: string) =>
    [
      line('FATAL:  could not create symbolic link "pg_tblspc/16400": Permission denied'),
      line(`CONTEXT:  WAL redo at 0/3000158 for Tablespace/CREATE: 16400 "${place}"`),
    ].join('\n');

  it('is named by its place', () => {
    expect(tablespaceIn(refusal('/srv/space'))).toBe('/srv/space');
    expect(
      tablespaceIn(
        [
          line('FATAL:  directory "/srv/gone" does not exist'),
          line('HINT:  Create this directory for the tablespace before restarting the server.'),
          line('CONTEXT:  WAL redo at 0/3000158 for Tablespace/CREATE: 16400 "/srv/gone"'),
        ].join('\n'),
      ),
    ).toBe('/srv/gone');
  });

  it('is not taken from another failure', () => {
    expect(tablespaceIn(line('FATAL:  recovery ended before configured recovery target was reached'))).toBeUndefined();
  });
});
