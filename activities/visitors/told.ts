import type { VisitorsReads } from '../contract.ts';
import { failure } from '../failure.ts';
import { authorityIn } from '../network/web.ts';
import { probe } from './probe.ts';

const times = 3;

export const closedIsTold: VisitorsReads['closedIsTold'] = async ({ visitors: { healthy, closed } }) => {
  const ca = await authorityIn(healthy.caFile);
  const probes = [];
  for (let asked = 0; asked < times; asked += 1) probes.push(await probe(healthy, ca));
  if (probes.some((one) => one.healthy))
    throw failure(
      'PlanInvalid',
      `nobody is led to the service, and yet ${healthy.url} gives what the plan takes for a healthy answer of it: what comes from ${closed ?? 'elsewhere'} could not be told from it. Write visitors.healthy.contains, a text that only the service's own answer has.`,
    );
  const last = probes.at(-1);
  return {
    found: `while nobody is led to the service, ${healthy.url} gives another answer than a healthy one (${last?.silent ?? last?.saw ?? 'none'})`,
    expected: 'the answer of the service can be told from others',
  };
};
