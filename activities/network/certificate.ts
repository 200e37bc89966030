/** The certificate that an address shows: until when it holds, for whom, and whether it is believed. */
import { isIP } from 'node:net';
import { connect, type PeerCertificate } from 'node:tls';
import { formatDate, formatNumberOf } from '../../evidence/format.ts';
import type { NetworkFinding, NetworkReads } from '../contract.ts';
import { authorityIn, whyNot } from './web.ts';

const withinMs = 5_000;
const day = 24 * 3_600_000;
/** Time enough for people to get a new one. */
const renewedBeforeDays = 21;
const expected = `a certificate that is believed, and holds for ${renewedBeforeDays} days at least`;

interface Shown {
  certificate: PeerCertificate;
  /** Why it is not believed, in OpenSSL's words. */
  against?: string;
}

export const certificateOf: NetworkReads['certificateOf'] = async ({ url, caFile }) => {
  const ca = await authorityIn(caFile);
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const place = `${hostname}:${port || 443}`;
  try {
    return judged(place, await shownBy(host, Number(port || 443), ca), caFile);
  } catch (error) {
    return {
      ...{ well: false, found: `${place} ${whyNot(error)}: its certificate was not seen`, expected },
      proposal: 'Bring it back first, or correct its address in the plan.',
    };
  }
};

function shownBy(host: string, port: number, ca: string | undefined): Promise<Shown> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...{ host, port },
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(ca === undefined ? {} : { ca }),
      // It is to be seen as well where it is not believed.
      rejectUnauthorized: false,
    });
    socket.setTimeout(withinMs, () => socket.destroy(new Error(`no answer within ${withinMs / 1_000} s`)));
    socket.on('error', reject);
    socket.on('secureConnect', () => {
      const certificate = socket.getPeerCertificate();
      const error: unknown = socket.authorizationError;
      socket.destroy();
      if (socket.authorized) return resolve({ certificate });
      resolve({ certificate, against: error instanceof Error ? error.message : String(error) });
    });
  });
}

function judged(
  place: string,
  { certificate, against }: Shown,
  caFile: string | undefined,
): NetworkFinding & { endsAt?: string } {
  const [from, until] = [Date.parse(certificate.valid_from), Date.parse(certificate.valid_to)];
  if (Number.isNaN(until))
    return { well: false, found: `${place} shows no certificate`, expected, proposal: 'Give the server one.' };
  const endsAt = new Date(until).toISOString();
  const days = Math.floor((until - Date.now()) / day);
  const renew = 'Have a new one made, check that it fits its key, install it and reload the server.';
  const say = (words: string, proposal: string) => ({
    ...{ well: false, endsAt, found: `the certificate of ${place} ${words}`, expected, proposal },
  });
  if (until <= Date.now()) return say(`has expired on ${formatDate(endsAt)}: clients refuse it`, renew);
  if (from > Date.now())
    return say(
      `holds only from ${formatDate(new Date(from).toISOString())} on`,
      'See the clock of this machine, or install the one that holds now.',
    );
  if (against !== undefined)
    return say(
      `is not believed: ${against}`,
      caFile === undefined
        ? 'Install the whole chain on the server, with a certificate for this very name; where the authority is your own, name it in the plan (caFile).'
        : `See whether ${caFile} is the authority that has made it, and whether it names this very host.`,
    );
  if (days < renewedBeforeDays)
    return say(`expires in ${formatNumberOf(days, 'day')}, on ${formatDate(endsAt)}`, renew);
  return {
    well: true,
    endsAt,
    found: `the certificate of ${place} holds until ${formatDate(endsAt)}, ${days} days`,
    expected,
  };
}
