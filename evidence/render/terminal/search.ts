import type { Evidence } from '../../evidence.ts';
import { countSentence, findingSentence, type Search, searchSentence } from '../../search.ts';
import { oneLine } from '../text.ts';

/** Each finding with its target, as the input of a recovery takes it: nothing to copy together. */
export function renderSearch(search: Search, { service, run }: { service: string; run: string }): string {
  return [...linesOf(search, oneLine(service)), `Evidence: lifeboat report ${oneLine(run)}`].join('\n');
}

export function searchBlock({ search, service }: Evidence): string[] {
  return search === undefined ? [] : linesOf(search, oneLine(service));
}

function linesOf(search: Search, service: string): string[] {
  return [
    `${service}: ${countSentence(search)}`,
    ...search.findings.flatMap((one) => [
      '',
      `  ${oneLine(findingSentence(one))}`,
      `      just before it: ${JSON.stringify({ target: `before ${one.target.lsn}` })}`,
    ]),
    '',
    oneLine(searchSentence(search)),
    ...search.notes.map((note) => `Note: ${oneLine(note)}`),
  ];
}
