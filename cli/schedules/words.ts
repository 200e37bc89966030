/** What the schedules commands say. */
import { formatMoment } from '../../evidence/format.ts';
import type { Change, Difference } from './difference.ts';
import type { Listed } from './list.ts';

const signs: Record<Change, string> = { make: '+', change: '~', remove: '-', keep: '=', leave: '!' };
const width = 20;

export function differencesInWords(all: readonly Difference[]): string {
  return byService(all, ({ name, change, says }) => {
    const [first = 'as the plan says', ...more] = says;
    return [
      `  ${signs[change]} ${name.padEnd(width)} ${first}`,
      ...more.map((line) => `    ${''.padEnd(width)} ${line}`),
    ];
  });
}

/** `3 made, 1 removed, 1 left as it is` */
export function countsInWords(all: readonly Difference[], done: boolean): string {
  const words: [Change, string][] = [
    ['make', done ? 'made' : 'to be made'],
    ['change', done ? 'changed' : 'to be changed'],
    ['remove', done ? 'removed' : 'to be removed'],
    ['keep', 'as the plan says'],
    ['leave', "somebody else's, left alone"],
  ];
  const counted = words.flatMap(([change, said]) => {
    const count = all.filter((one) => one.change === change).length;
    return count === 0 ? [] : [`${count} ${said}`];
  });
  return `${counted.join(', ') || 'No schedule is wanted, and there is none'}.`;
}

export function listInWords(all: readonly Listed[]): string {
  return byService(all, (one) => {
    const { name, words, next, paused, newest, differs } = one;
    return [
      `  ${name.padEnd(width)} ${[words ?? 'not in the plan', ...(next === undefined ? [] : [`next ${formatMoment(next)}`])].join(', ')}`,
      ...[
        ...(paused === undefined ? [] : [`PAUSED${paused === '' ? '' : `: ${paused}`}`]),
        ...differs,
        ...(newest === undefined
          ? []
          : [`last ${newest.outcome.toUpperCase()} ${newest.run}, ${formatMoment(newest.scheduledAt)}`]),
        ...one.counts,
      ].map((line) => `  ${''.padEnd(width)} ${line}`),
    ];
  });
}

export function timesInWords(
  all: readonly { service: string; name: string; words: string; times: string[] }[],
): string {
  return byService(all, ({ name, words, times }) => [
    `  ${name.padEnd(width)} ${words}`,
    ...times.map((time) => `  ${''.padEnd(width)} ${formatMoment(time)}`),
  ]);
}

function byService<T extends { service: string }>(all: readonly T[], lines: (one: T) => string[]): string {
  const services = [...new Set(all.map(({ service }) => service))];
  return services
    .map((service) => [service, ...all.filter((one) => one.service === service).flatMap(lines)].join('\n'))
    .join('\n\n');
}
