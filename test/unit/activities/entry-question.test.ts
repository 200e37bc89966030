import { createSocket, type Socket } from 'node:dgram';
import { AUTHORITATIVE_ANSWER, type DecodedPacket, decode, encode, type Packet } from 'dns-packet';
import { expect, onTestFinished, test } from 'vitest';
import { askDns, NoAnswer, placeOf } from '../../../activities/entry/question.ts';

const question = { name: 'orders.example.com', type: 'A', recursive: false } as const;

/** A DNS server that says what the test wants, to each question in turn. */
async function server(...answers: ((asked: DecodedPacket) => (Packet | Buffer)[])[]) {
  const socket: Socket = createSocket('udp4');
  socket.on('message', (bytes, { port, address }) => {
    const said = answers.shift()?.(decode(bytes)) ?? [];
    for (const one of said) socket.send(Buffer.isBuffer(one) ? one : encode(one), port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  onTestFinished(() => void socket.close());
  return { host: '127.0.0.1', port: socket.address().port };
}

const says = (asked: DecodedPacket, more: Partial<Packet> = {}): Packet => ({
  type: 'response',
  id: asked.id,
  questions: asked.questions,
  ...more,
});
const gives = (data: string, name: string = question.name): Partial<Packet> => ({
  answers: [{ type: 'A', name, ttl: 17, data }],
});

test('only the answer to the question is taken: not noise, not that to another one, not records of other names', async () => {
  const at = await server((asked) => [
    Buffer.from('noise'),
    says(asked, { id: ((asked.id ?? 0) + 1) % 65_536, ...gives('192.0.2.66') }),
    says(asked, { questions: [{ type: 'A', name: 'other.example.com' }], ...gives('192.0.2.67') }),
    says(asked, { type: 'query', ...gives('192.0.2.68') }),
    says(asked, {
      flags: AUTHORITATIVE_ANSWER,
      answers: [
        { type: 'A', name: 'ORDERS.example.com', ttl: 17, data: '192.0.2.10' },
        { type: 'A', name: 'other.example.com', ttl: 17, data: '192.0.2.69' },
      ],
    }),
  ]);
  expect(await askDns(at, question)).toEqual({
    code: 'NOERROR',
    authoritative: true,
    records: [{ type: 'A', value: '192.0.2.10', ttlSeconds: 17 }],
  });
});

test('a question that is lost is asked again', async () => {
  const at = await server(
    () => [],
    (asked) => [says(asked, gives('192.0.2.10'))],
  );
  expect((await askDns(at, question)).records).toMatchObject([{ value: '192.0.2.10' }]);
});

test('silence, a closed port and a name that nobody has are told apart', async () => {
  const silent = await server();
  await expect(askDns(silent, question)).rejects.toThrow(new NoAnswer('does not answer within 3 s'));
  await expect(askDns({ host: '127.0.0.1', port: 1 }, question)).rejects.toThrow('nobody listens there');
  await expect(askDns({ host: 'nobody.invalid', port: 53 }, question)).rejects.toThrow('its name does not resolve');
});

test('a place is written as people write it', () => {
  expect(placeOf({ host: '10.0.0.53', port: 53 })).toBe('10.0.0.53:53');
  expect(placeOf({ host: '2001:db8::53', port: 53 })).toBe('[2001:db8::53]:53');
});
