import { describe, expect, test } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import type { Ledger } from '../../../evidence/ledger.ts';
import { renderHtml } from '../../../evidence/render/html.ts';
import { renderMarkdown } from '../../../evidence/render/markdown.ts';
import { renderTerminal } from '../../../evidence/render/terminal.ts';
import { proven } from './samples.ts';
import { words } from './words.ts';

const inAllForms: [string, (evidence: Evidence) => string][] = [
  ['the page', (evidence) => words(renderHtml(evidence))],
  ['the Markdown', renderMarkdown],
  ['the terminal', (evidence) => renderTerminal(evidence, { color: false })],
];

const ledger: Ledger = {
  source: 'copy',
  host: 'db1',
  directory: '/srv/main.before-orders-7f3a',
  at: '2026-11-21T14:31:00.000Z',
  how: 'a reflink, which shares its blocks',
  tables: [
    {
      ...{ table: 'public.orders', by: 'primary key', key: ['id'], missing: 1203, changed: 4, new: 17, notes: [] },
      file: {
        name: 'public.orders.csv',
        location: 's3://evidence/orders/ledger',
        sha256: 'ab'.repeat(32),
        bytes: 81_204,
      },
    },
    { table: 'public.notes', by: 'whole rows', missing: 2, changed: 0, new: 0, notes: ['it has no primary key'] },
  ],
  notes: [],
};

const told = (one: Ledger): Evidence => ({ ...proven(), ledger: one });

describe.each(inAllForms)('%s', (_form, read) => {
  test('says how many rows are missing and changed, table by table, and where they lie', () => {
    const text = read(told(ledger));
    for (const fact of ['1,205 rows', '1,203', 's3://evidence/orders/ledger', 'it has no primary key'])
      expect(text.replaceAll('\\', '')).toContain(fact);
  });

  test('says that nothing is missing where that is so', () => {
    const tables = ledger.tables.map((one) => ({ ...one, missing: 0, changed: 0 }));
    expect(read(told({ ...ledger, tables }))).toContain('holds every row of the old one');
  });

  test('says that it is a bound where only the WAL was counted', () => {
    const counts = [{ table: 'public.orders', inserted: 4, updated: 2, deleted: 1 }];
    const text = read(
      told({ ...ledger, source: 'WAL', tables: [], transactions: 17, counts, notes: ['a bound, and no rows'] }),
    );
    for (const fact of ['17 transactions', 'there was no room', 'a bound, and no rows']) expect(text).toContain(fact);
  });
});
