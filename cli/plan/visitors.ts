/** How visitors are led, read aloud. */
import { formatDuration } from '../../evidence/format.ts';
import type { Plan } from '../../plan/schema.ts';
import { listed } from './listed.ts';

export function visitorsInWords({ visitors, externals = [] }: Plan): string[] {
  const others =
    externals.length === 0
      ? []
      : [`It needs ${listed(externals.map(({ name }) => name))} of others; a diagnosis of the network asks them.`];
  if (visitors === undefined) return others;
  const { backend, servers, closed, shares, soak, stopWhen, healthy } = visitors;
  const rest = closed === undefined ? '' : `, and ${closed} gets what is left`;
  return [
    `Visitors come by ${healthy.url}: HAProxy (backend ${backend}) leads them to ${listed(servers)}${rest}.`,
    `They are led there by shares of ${listed(shares.map((share) => `${share} %`))}, each watched for ${formatDuration(soak)}.`,
    `A share is taken back when more than ${stopWhen.errors} % of the answers fail, or one in twenty takes longer than ${formatDuration(stopWhen.latency)}.`,
    ...others,
  ];
}
