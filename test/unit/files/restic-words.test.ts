/** What restic says, and who has to act. The words are those of restic 0.14 on a real store. */
import { expect, test } from 'vitest';
import type { Files } from '../../../activities/contract.ts';
import { lastWords, repositoryFailure } from '../../../activities/files/restic.ts';

const files: Files = {
  kind: 'restic',
  after: [],
  host: 'web1',
  repository: 's3:https://s3.example.com/backups/web',
  password: '$' + '{file:/etc/lifeboat/web.key}',
  accessKeyId: '$' + '{env:KEY}',
  secretAccessKey: '$' + '{env:SECRET}',
  paths: ['/etc/nginx'],
  newestWithin: 86_400_000,
};

test.each([
  ['Fatal: wrong password or no key found', 'KeyLost'],
  [
    'Fatal: unable to open config file: Stat: The specified key does not exist.\nIs there a repository at the following location?\ns3:https://s3.example.com/backups/web',
    'BackupMissing',
  ],
  ['Fatal: unable to open config file: Stat: The specified bucket does not exist', 'BackupMissing'],
  ['Fatal: unable to open config file: Stat: Access Denied.', 'StoreRefused'],
  [
    'Fatal: unable to open config file: Stat: The request signature we calculated does not match the signature you provided.',
    'StoreRefused',
  ],
  [
    'Fatal: unable to open config file: Stat: Get "https://s3.example.com/": x509: certificate signed by unknown authority',
    'StoreRefused',
  ],
  [
    'Stat(<config/>) returned error, retrying after 720.254544ms: Stat: Head "https://s3.example.com/backups": dial tcp 10.0.0.1:443: connect: connection refused',
    'StoreUnreachable',
  ],
  ['no answer within 60 s', 'StoreUnreachable'],
  [
    'unable to create lock in backend: repository is already locked exclusively by PID 4711 on web1 by root (UID 0, GID 0)',
    'BackupFailed',
  ],
] as const)('%s: %s', (words, type) => {
  expect(repositoryFailure(files, words)).toMatchObject({ type });
});

test('what is about the work itself is for others to judge', () => {
  expect(repositoryFailure(files, 'ciphertext verification failed')).toBeUndefined();
});

test('its last words are on one line, without its progress, and those in JSON are read', () => {
  const said = [
    '{"message_type":"status","percent_done":0.5,"current_files":["/etc/secret"]}',
    '{"message_type":"error","error":{"message":"permission denied"},"during":"archival","item":"/etc/nginx/key.pem"}',
    'Fatal: unable to save snapshot',
    '',
  ].join('\n');
  expect(lastWords(said)).toBe('/etc/nginx/key.pem: permission denied; Fatal: unable to save snapshot');
  const trace =
    'decrypting blob 25 failed: ciphertext verification failed\ngithub.com/restic/restic/internal/walker.walk\n\tgithub.com/restic/walker.go:122\nmain.runLs\n\tcmd_ls.go:223\nmain.glob..func15\ngithub.com/spf13/cobra.(*Command).Execute\nruntime.goexit\n\truntime/asm.s\n';
  expect(lastWords(trace)).toBe('decrypting blob 25 failed: ciphertext verification failed');
  expect(lastWords('')).toBe('it said nothing');
});
