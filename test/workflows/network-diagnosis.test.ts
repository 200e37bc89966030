import { expect, test } from 'vitest';
import { failure } from '../../activities/failure.ts';
import type { NetworkResult } from '../../workflows/network-diagnosis.ts';
import { estateThatAsks } from './asking.ts';
import type { FakeEstate } from './fake-estate.ts';
import { visitors } from './fake-visitors.ts';
import { useRig } from './rig.ts';
import { apart } from './two-sites.ts';

const rig = useRig();

function wholeEstate(): FakeEstate {
  const estate = apart(estateThatAsks());
  estate.plan.visitors = { ...visitors, healthy: { ...visitors.healthy, url: 'https://orders.example.test/' } };
  estate.plan.externals = [{ name: 'payments', url: 'https://pay.example.test/', within: 5_000 }];
  return estate;
}

async function asked(estate: FakeEstate): Promise<NetworkResult> {
  return (await rig.start(estate, 'networkDiagnosis', [{}])).result();
}

const wrong = ({ checks }: NetworkResult) => checks.filter(({ well }) => !well).map(({ about }) => about);

test('everything that the plan names is asked, once, and nothing is changed', async () => {
  const estate = wholeEstate();
  const found = await asked(estate);
  expect(wrong(found)).toEqual([]);
  expect(found.checks.map(({ about }) => about)).toEqual([
    ...['the name orders.example.test', 'the name orders.example.test'],
    ...['the front door of the database', 'the front door of the database', 'member db1', 'member db2'],
    ...['the runtime socket of the load balancer', 'the runtime socket of the load balancer'],
    'the runtime socket of the load balancer',
    ...[
      'the certificate of the evidence store',
      "the certificate of the visitors' front",
      'the certificate of payments',
    ],
    ...["the visitors' front", 'payments'],
  ]);
  expect(estate.network.asked.toSorted()).toEqual([
    ...['certificate https://localhost:9000', 'certificate https://orders.example.test/'],
    'certificate https://pay.example.test/',
    ...['port 10.0.1.9:9999', 'port 10.0.2.9:9999', 'port 127.0.0.1:5433', 'port 127.0.0.1:5434'],
    ...['port 127.0.0.1:9998', 'port 192.0.2.10:5432', 'port 192.0.2.20:5432'],
    ...['web https://orders.example.test/', 'web https://pay.example.test/'],
  ]);
  expect(new Set(estate.calls)).toEqual(
    new Set(['loadPlan', 'nameAnswers', 'portAnswers', 'certificateOf', 'webAnswers']),
  );
});

test('a plan without a name, visitors or externals is asked for the rest', async () => {
  const found = await asked(estateThatAsks());
  expect(wrong(found)).toEqual([]);
  expect(found.checks.map(({ about }) => about)).toContain('member db2');
});

test('a resolver that gives the old answer is named, with what to do; who agrees with the zone is not', async () => {
  const estate = wholeEstate();
  const [first] = estate.plan.entry?.resolvers ?? [];
  if (estate.plan.entry !== undefined && first !== undefined)
    estate.plan.entry.resolvers = [first, { host: '127.0.0.2', port: 53 }, { host: '127.0.0.3', port: 53 }];
  estate.network.spoilt.nameAnswers = async () => ({
    authority: { value: '192.0.2.20', ttlSeconds: 60, site: 'west' },
    resolvers: [
      { resolver: '127.0.0.1:5354', values: ['192.0.2.10'], site: 'east', ttlSeconds: 17 },
      { resolver: '127.0.0.2:53', values: ['192.0.2.20'], site: 'west', ttlSeconds: 3 },
      { resolver: '127.0.0.3:53', values: [], why: 'does not answer within 3 s' },
    ],
    found: 'not the same',
  });
  const { checks } = await asked(estate);
  expect(checks.slice(0, 4)).toMatchObject([
    { well: true },
    {
      well: false,
      words: 'resolver 127.0.0.1:5354 gives 192.0.2.10 for 17 s more, expected 192.0.2.20, as the zone says',
      proposal: expect.stringContaining('Wait 17 s'),
    },
    { well: true },
    { well: false, words: 'resolver 127.0.0.3:53 does not answer within 3 s' },
  ]);
});

test('a zone that says nothing hides no resolver, and one of no site is said', async () => {
  const estate = wholeEstate();
  const resolvers = [{ resolver: '127.0.0.1:5354', values: ['192.0.2.99'], ttlSeconds: 17 }];
  estate.network.spoilt.nameAnswers = async () => ({ authority: { why: 'it is silent' }, resolvers, found: '' });
  expect((await asked(estate)).checks.slice(0, 2)).toMatchObject([{ well: false }, { well: true }]);
  estate.network.spoilt.nameAnswers = async () => ({
    ...{ authority: { value: '192.0.2.99', ttlSeconds: 5 }, resolvers, found: '' },
  });
  expect((await asked(estate)).checks[0]).toMatchObject({ well: false, words: expect.stringContaining('no site') });
});

test('what fails, or cannot be asked at all, hides nothing else', async () => {
  const estate = wholeEstate();
  estate.network.spoilt.certificateOf = async ({ url }) => {
    if (url.includes('localhost')) throw failure('PlanInvalid', 'caFile cannot be read');
    return { well: !url.includes('pay'), found: `${url} expired`, proposal: 'Renew it.' };
  };
  estate.network.spoilt.portAnswers = async ({ port }) => ({
    ...{ well: port !== 5434, found: `${port} refuses connections`, proposal: 'Start it.' },
  });
  const found = await asked(estate);
  expect(wrong(found)).toEqual(['member db2', 'the certificate of the evidence store', 'the certificate of payments']);
  expect(found.checks.find(({ about }) => about === 'the certificate of the evidence store')?.words).toBe(
    'caFile cannot be read',
  );
});
