import type { ControlReads, NameAnswers, NetworkFinding, ResolverAnswer } from '../activities/contract.ts';
import { addresses } from '../plan/hosts.ts';
import type { Plan } from '../plan/schema.ts';
import { doorsOf } from '../plan/sites.ts';
import { answering } from './answering.ts';
import { controlQueue, type RunInput } from './messages.ts';
import { failureOf } from './runbook/failure.ts';
import { activities, type Stubs } from './runbook/step.ts';

/** One thing of the network that the service stands on. */
export interface NetworkCheck {
  about: string;
  well: boolean;
  words: string;
  /** What a person could do. */
  proposal?: string;
}

/** How the network around a service stands, as a control worker sees it. */
export interface NetworkResult {
  service: string;
  checks: NetworkCheck[];
}

// Somebody sits before the screen: what does not answer now is said now.
const waits = { startToCloseMs: 60_000, heartbeatMs: 20_000, answerWithinMs: 20_000, attempts: 2 };

type Look = [about: string, look: () => Promise<Omit<NetworkCheck, 'about'>[]>];

/** Looks at everything at once, and changes nothing; not a runbook. One thing that is wrong hides no other. */
export async function networkDiagnosis(input?: Pick<RunInput, 'service'>): Promise<NetworkResult> {
  return answering('network-diagnosis', 'How the network around the service stands', async () => {
    const control = activities<ControlReads>({ taskQueue: controlQueue, ...waits });
    const { plan } = await control.loadPlan(input?.service === undefined ? {} : { service: input.service });
    const looks = [
      ...names(plan, control),
      ...ports(plan, control),
      ...certificates(plan, control),
      ...web(plan, control),
    ];
    const checks = await Promise.all(looks.map(seen));
    return { service: plan.service, checks: checks.flat() };
  });
}

async function seen([about, look]: Look): Promise<NetworkCheck[]> {
  try {
    return (await look()).map((one) => ({ about, ...one }));
  } catch (error) {
    return [{ about, well: false, words: failureOf(error).message }];
  }
}

function asCheck({ well, found, proposal }: NetworkFinding): Omit<NetworkCheck, 'about'>[] {
  return [{ well, words: found, ...(proposal === undefined ? {} : { proposal }) }];
}

function names({ entry }: Plan, control: Stubs<ControlReads>): Look[] {
  if (entry === undefined) return [];
  return [
    [
      `the name ${entry.name}`,
      async () => {
        const answers = await control.nameAnswers({ entry });
        return [judgedAuthority(answers), ...answers.resolvers.map((one) => judgedResolver(one, answers))];
      },
    ],
  ];
}

function judgedAuthority({ authority: { value, site, ttlSeconds, why } }: NameAnswers): Omit<NetworkCheck, 'about'> {
  if (why !== undefined)
    return {
      ...{ well: false, words: `whoever keeps the zone: ${why}` },
      proposal:
        'Bring the server of the zone back, or correct the record and entry in the plan, before the service has to move.',
    };
  if (site === undefined)
    return {
      ...{ well: false, words: `whoever keeps the zone says ${value}, which is no site of the plan` },
      proposal: 'Correct the record, or entry.sites in the plan: clients are led to nobody whom the plan knows.',
    };
  return { well: true, words: `whoever keeps the zone says ${value} (${site}), TTL ${ttlSeconds} s` };
}

function judgedResolver(answer: ResolverAnswer, { authority }: NameAnswers): Omit<NetworkCheck, 'about'> {
  const { resolver, values, ttlSeconds, why } = answer;
  if (why !== undefined)
    return {
      ...{ well: false, words: `resolver ${resolver} ${why}` },
      proposal: 'Its clients find nobody: see whether it runs, and whether it reaches the servers of the zone.',
    };
  const said = values.join(' and ');
  const words = `resolver ${resolver} gives ${said} for ${ttlSeconds} s more`;
  if (authority.value === undefined || said === authority.value) return { well: true, words };
  return {
    ...{ well: false, words: `${words}, expected ${authority.value}, as the zone says` },
    proposal: `Wait ${ttlSeconds} s, or flush the name in it; if it stays, see what it forwards to. Its clients go to the old place until then.`,
  };
}

/** Where clients reach the database, and its members themselves. */
function ports(plan: Plan, control: Stubs<ControlReads>): Look[] {
  const doors = doorsOf(plan).map(({ database: { frontDoor } }) => frontDoor);
  const reached = addresses(plan);
  const all = [
    ...doors.map(({ host, port }) => ({ about: 'the front door of the database', host, port })),
    ...plan.database.members.map(({ host, port }) => ({ about: `member ${host}`, host: reached[host] ?? host, port })),
    ...balancers(plan),
  ];
  return all.map(
    ({ about, host, port }): Look => [about, async () => asCheck(await control.portAnswers({ host, port }))],
  );
}

/** Runtime sockets that are no files. */
function balancers(plan: Plan): { about: string; host: string; port: number }[] {
  const sockets = [...doorsOf(plan).map(({ traffic }) => traffic.socket), plan.visitors?.socket ?? ''];
  return [...new Set(sockets)].flatMap((socket) => {
    const [, host, port] = /^([^/]+):(\d+)$/.exec(socket) ?? [];
    return host === undefined ? [] : [{ about: 'the runtime socket of the load balancer', host, port: Number(port) }];
  });
}

interface Address {
  about: string;
  url: string;
  caFile?: string | undefined;
}

function certificates({ evidence, visitors, externals = [] }: Plan, control: Stubs<ControlReads>): Look[] {
  const all: Address[] = [
    { about: 'the certificate of the evidence store', url: evidence.endpoint, caFile: evidence.caFile },
    ...(visitors === undefined
      ? []
      : [
          {
            about: "the certificate of the visitors' front",
            url: visitors.healthy.url,
            caFile: visitors.healthy.caFile,
          },
        ]),
    ...externals.map(({ name, url }) => ({ about: `the certificate of ${name}`, url })),
  ];
  return all
    .filter(({ url }) => url.startsWith('https:'))
    .map(
      ({ about, url, caFile }): Look => [
        about,
        async () => asCheck(await control.certificateOf({ url, ...(caFile === undefined ? {} : { caFile }) })),
      ],
    );
}

function web({ visitors, externals = [] }: Plan, control: Stubs<ControlReads>): Look[] {
  const front =
    visitors === undefined
      ? []
      : [
          {
            about: "the visitors' front",
            url: visitors.healthy.url,
            within: visitors.healthy.within,
            caFile: visitors.healthy.caFile,
          },
        ];
  const others = externals.map(({ name, url, within }) => ({ about: name, url, within, caFile: undefined }));
  return [...front, ...others].map(
    ({ about, url, within, caFile }): Look => [
      about,
      async () =>
        asCheck(await control.webAnswers({ url, withinMs: within, ...(caFile === undefined ? {} : { caFile }) })),
    ],
  );
}
