import { describe, expect, it } from 'vitest';
import { firstWords, meaningOf } from '../../../activities/backups/pgbackrest-words.ts';

/** As pgBackRest 2.45 printed them, shortened. */
const http = (status: string, body: string) => `ERROR: [039]: HTTP request failed with ${status}:
       *** Path/Query ***:
       GET /nope/?delimiter=%2F&list-type=2&prefix=archive%2Forders%2F
       *** Request Headers ***:
       authorization: <redacted>
       host: localhost
       *** Response Content ***:
       <?xml version="1.0" encoding="UTF-8"?>
       <Error>${body}</Error>`;

const meaning = (output: string, code: number) =>
  meaningOf(
    { command: 'repo-ls', code, output, config: '/etc/pgbackrest.conf', stanza: 'orders' },
    { otherwise: 'RestoreFailed', damaged: 'BackupCorrupt' },
  );

describe('what pgBackRest says', () => {
  it.each([
    [
      'a database that is gone, whose words are like those of a store that is away',
      "ERROR: [056]: unable to connect to 'dbname=postgres port=5432': FATAL:  sorry, too many clients already",
      56,
      'DatabaseUnreachable',
      'too many clients',
    ],
    [
      'a clock that is wrong, by the store',
      http('403 (Forbidden)', '<Code>RequestTimeTooSkewed</Code><Message>The difference is too large.</Message>'),
      39,
      'ClockSkewed',
      'clocks differ too much',
    ],
    [
      'a clock that is behind the certificate of the store',
      "ERROR: [095]: unable to verify certificate presented by 'localhost:1': [9] certificate is not yet valid",
      95,
      'ClockSkewed',
      'Correct the clock',
    ],
    [
      'a clock that is behind the latest backup',
      "ERROR: [029]: new backup label '20261121-1F' is not later than latest backup label '20261121-2F'\n HINT: has the timezone changed?",
      29,
      'ClockSkewed',
      'latest backup label',
    ],
    [
      'a refused key',
      http('403 (Forbidden)', '<Code>SignatureDoesNotMatch</Code><Message>No match.</Message>'),
      39,
      'StoreRefused',
      'refuses the key',
    ],
    [
      'an unknown key behind a 404',
      http('404 (Not Found)', '<Code>XAdminUserNotFound</Code><Message>No user.</Message>'),
      39,
      'StoreRefused',
      'refuses the key',
    ],
    [
      'a missing bucket',
      http('404 (Not Found)', '<Code>NoSuchBucket</Code><Message>No.</Message><BucketName>nope</BucketName>'),
      39,
      'StoreRefused',
      'no bucket "nope"',
    ],
    [
      'a store in trouble',
      http('503 (Service Unavailable)', '<Code>SlowDown</Code>'),
      101,
      'ArchiveUnreachable',
      'does not answer',
    ],
    [
      'a store that is down',
      "ERROR: [049]: unable to connect to 'localhost:19444': [111] Connection refused",
      49,
      'ArchiveUnreachable',
      'Connection refused',
    ],
    [
      'a strange certificate',
      "ERROR: [095]: unable to verify certificate presented by 'localhost:443'",
      95,
      'StoreRefused',
      'certificate',
    ],
    [
      'a full disk',
      'ERROR: [064]: unable to write /x: [28] No space left on device',
      64,
      'DiskFull',
      'ran out of room',
    ],
    ['a wrong option', "ERROR: [031]: invalid option '--nope'", 31, 'PlanInvalid', '/etc/pgbackrest.conf'],
    [
      'a damaged file',
      'ERROR: [029]: raised from local-2 protocol: zst error: [-20] Data corruption detected',
      29,
      'BackupCorrupt',
      'zst error: [-20]',
    ],
    ['anything else', 'ERROR: [038]: unable to restore while PostgreSQL is running', 38, 'RestoreFailed', 'code 38'],
  ])('%s', (_what, output, code, type, words) => {
    expect(meaning(output, code)).toMatchObject({ type, message: expect.stringContaining(words) });
  });

  it('is told as one sentence, without secrets, headers, retries and hints', () => {
    const message = meaning(
      http('403 (Forbidden)', '<Code>AccessDenied</Code><Message>Access Denied</Message>'),
      39,
    ).message;
    expect(message).not.toContain('\n');
    expect(message).not.toContain('authorization');
    expect(
      firstWords(`2026-11-21 14:04:45.988 P00  ERROR: [029]: raised from local-1 protocol: zst error: [-20] Data
       [FormatError] on retry after 0ms
       HINT: is the moon full?`),
    ).toBe('[029]: zst error: [-20] Data');
  });
});
