import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { command } from './command.ts';

export interface Certificates {
  /** The authority's certificate, which all clients of the store trust. */
  authority: string;
  certificate: string;
  key: string;
  /** What a store may show by mistake: a certificate that is over, and one that no authority known here has signed. */
  expired: string;
  stranger: string;
  strangerKey: string;
}

export function certificates(directory: string): Certificates {
  return {
    authority: join(directory, 'ca.crt'),
    certificate: join(directory, 'server.crt'),
    key: join(directory, 'server.key'),
    expired: join(directory, 'expired.crt'),
    stranger: join(directory, 'stranger.crt'),
    strangerKey: join(directory, 'stranger.key'),
  };
}

/** pgBackRest 2.45 checks the DNS name and no address, so the store is always called `localhost`. */
const extensions = `basicConstraints=CA:FALSE
keyUsage=digitalSignature
extendedKeyUsage=serverAuth
subjectAltName=DNS:localhost,IP:127.0.0.1
`;

/** Makes an authority and a certificate for the store, valid for a month. */
export async function makeCertificates(directory: string, openssl: string): Promise<Certificates> {
  const made = certificates(directory);
  const authorityKey = join(directory, 'ca.key');
  const request = join(directory, 'server.csr');
  const extensionFile = join(directory, 'server.ext');
  await writeFile(extensionFile, extensions);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const run = (args: string[]) => command(openssl, args);
  await run([
    ...['req', '-x509', ...key, '-days', '30', '-subj', '/CN=Lifeboat lab authority'],
    ...['-addext', 'keyUsage=critical,keyCertSign', '-keyout', authorityKey, '-out', made.authority],
  ]);
  await run(['req', '-new', ...key, '-subj', '/CN=localhost', '-keyout', made.key, '-out', request]);
  for (const [certificate, days] of [
    [made.certificate, '30'],
    [made.expired, '-1'],
  ] as const)
    await run([
      ...['x509', '-req', '-in', request, '-CA', made.authority, '-CAkey', authorityKey, '-CAcreateserial'],
      ...['-days', days, '-extfile', extensionFile, '-out', certificate],
    ]);
  await run([
    ...['req', '-x509', ...key, '-days', '30', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
    ...['-keyout', made.strangerKey, '-out', made.stranger],
  ]);
  await Promise.all([
    chmod(made.authority, 0o644),
    chmod(made.key, 0o600),
    chmod(made.strangerKey, 0o600),
    chmod(authorityKey, 0o600),
  ]);
  return made;
}
