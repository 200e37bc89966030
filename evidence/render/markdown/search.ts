import type { Evidence } from '../../evidence.ts';
import { countSentence, findingSentence, namesOf, searchSentence, targetWords } from '../../search.ts';
import { code, plain, table } from './marks.ts';

export function searchSection({ search }: Evidence): string[] {
  if (search === undefined) return [];
  return [
    '## What the WAL shows',
    plain(countSentence(search)),
    ...(search.findings.length === 0
      ? []
      : [
          table(
            ['Transaction', 'Target just before it', 'Committed', 'Named by'],
            search.findings.map((one) => [
              plain(findingSentence(one)),
              `${code(one.target.lsn)}, ${plain(targetWords(one))}`,
              plain(one.at),
              plain(namesOf(one)),
            ]),
          ),
        ]),
    plain(searchSentence(search)),
    ...search.notes.map((note) => `**Note:** ${plain(note)}`),
  ];
}
