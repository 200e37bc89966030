/** From numbers of files to what was done to which table. */

import type { Repository } from '../archive.ts';
import { pathTo, timelineAt } from '../timelines.ts';
import type { Effect, Finding, NamedBy } from './findings.ts';
import type { RelationFile } from './records.ts';
import type { RowCounts, Suspect } from './suspects.ts';

/** A relation as a catalog knew it. */
export interface RelationFacts {
  oid: number;
  database: number;
  file: RelationFile;
  /** Schema-qualified; of another database than the service's own, with that before it. */
  name: string;
  /** Whether it has rows of people: no index, no TOAST table, no catalog, no sequence. */
  isTable: boolean;
  /** The partitioned table that it belongs to. */
  root?: string;
  /** As the planner would estimate. */
  rows?: number;
  bytes?: number;
}

/** What one look into a catalog has told. */
export interface Looked {
  relations: RelationFacts[];
  databases?: { oid: number; name: string }[];
}

/** What has been learned so far, and from whom. */
export class Names {
  readonly #files = new Map<RelationFile, RelationFacts & { by: NamedBy }>();
  readonly #live = new Map<string, RelationFacts>();
  readonly #after = new Map<number, Map<string, RelationFacts>>();
  readonly #databases = new Map<number, string>();
  /** Whether the service's own catalog was asked: of one database. */
  #liveDatabase: number | undefined;

  fromLive({ relations }: Looked, database: number): void {
    this.#liveDatabase = database;
    for (const one of relations) {
      this.#live.set(keyOf(one), one);
      // What it is large or small now, is not what it was then.
      const { rows: _now, bytes: _too, ...facts } = one;
      this.#files.set(one.file, { ...facts, by: 'live catalog' });
    }
  }

  fromRestore({ relations, databases = [] }: Looked): void {
    for (const one of relations) this.#files.set(one.file, { ...one, by: 'restored catalog' });
    for (const { oid, name } of databases) this.#databases.set(oid, name);
  }

  /** The catalog as the transaction has left it. */
  fromJustAfter({ relations }: Looked, transaction: number): void {
    this.#after.set(transaction, new Map(relations.map((one) => [keyOf(one), one])));
  }

  file(file: RelationFile): (RelationFacts & { by: NamedBy }) | undefined {
    return this.#files.get(file);
  }

  database(oid: number): string | undefined {
    return this.#databases.get(oid);
  }

  /** A relation after a transaction; `gone` when it was there before and is no more, `undefined` when nobody knows. */
  after(one: Pick<RelationFacts, 'oid' | 'database'>, transaction: number): RelationFacts | 'gone' | undefined {
    const just = this.#after.get(transaction);
    return just === undefined ? undefined : (just.get(keyOf(one)) ?? 'gone');
  }

  now(one: Pick<RelationFacts, 'oid' | 'database'>): RelationFacts | 'gone' | undefined {
    if (this.#liveDatabase !== one.database) return undefined;
    return this.#live.get(keyOf(one)) ?? 'gone';
  }

  /** Tables of the service's own database that got one of these files, and have it still. */
  holders(files: readonly { file: RelationFile }[]): RelationFacts[] {
    return files.flatMap(({ file }) => {
      const facts = this.#files.get(file);
      return facts === undefined ? [] : [facts];
    });
  }
}

function keyOf({ database, oid }: Pick<RelationFacts, 'oid' | 'database'>): string {
  return `${database}/${oid}`;
}

/** Which look would tell more: into the catalog just before the transaction, or also just after it. */
export type Wanted = 'before' | 'after' | undefined;

export function effectsOf(suspect: Suspect, names: Names): { effects: Effect[]; wanted: Wanted } {
  const files = fileEffects(suspect, names);
  const rows = rowEffects(suspect, names);
  const unknownRows = rows.some(({ namedBy }) => namedBy === 'nobody');
  const databases = suspect.droppedDatabases.map((oid): Effect => {
    const name = names.database(oid);
    return {
      what: 'dropped database',
      relation: name ?? String(oid),
      namedBy: name === undefined ? 'nobody' : 'restored catalog',
    };
  });
  const unknown = unknownRows || databases.some(({ namedBy }) => namedBy === 'nobody');
  return { effects: [...databases, ...files.effects, ...rows], wanted: unknown ? 'before' : files.wanted };
}

function rowEffects({ rows, beyond }: Pick<Suspect, 'rows' | 'beyond'>, names: Names): Effect[] {
  const byTable = new Map<string, RowCounts & { namedBy: NamedBy }>();
  const add = (relation: string, namedBy: NamedBy, counts: Omit<RowCounts, 'file'>) => {
    const sum = byTable.get(relation) ?? { file: relation, inserted: 0, updated: 0, deleted: 0, namedBy };
    sum.inserted += counts.inserted;
    sum.updated += counts.updated;
    sum.deleted += counts.deleted;
    byTable.set(relation, sum);
  };
  for (const counts of rows) {
    const facts = names.file(counts.file);
    if (facts?.isTable === false) continue;
    add(facts?.root ?? facts?.name ?? counts.file, facts?.by ?? 'nobody', counts);
  }
  if (beyond !== undefined) {
    // So many relations are partitions: what lies beyond is of the same table as the others.
    const [first] = rows;
    const facts = first && names.file(first.file);
    add(facts?.root ?? `${beyond.relations} more relations`, facts?.by ?? 'nobody', { ...beyond, inserted: 0 });
  }
  return [...byTable].flatMap(([relation, { deleted, updated, inserted, namedBy }]): Effect[] => [
    ...(deleted > 0
      ? [{ what: 'deleted' as const, relation, rows: deleted, namedBy, ...(inserted > 0 && { inserted }) }]
      : []),
    ...(updated > 0 ? [{ what: 'updated' as const, relation, rows: updated, namedBy }] : []),
  ]);
}

function fileEffects(suspect: Suspect, names: Names): { effects: Effect[]; wanted: Wanted } {
  const { dropped, created } = suspect;
  if (dropped.length === 0) return { effects: [], wanted: undefined };
  const known = dropped.map((file) => ({ file, facts: names.file(file) }));
  if (known.some(({ facts }) => facts === undefined)) {
    const holders = names.holders(created);
    if (onlyRenewed(suspect, holders))
      return {
        effects: holders.filter(({ isTable }) => isTable).map((one) => became(suspect, one, one, 'live catalog')),
        wanted: undefined,
      };
    const relation = dropped.length === 1 ? `file ${dropped[0]}` : `${dropped.length} files, ${dropped[0]} and others`;
    const what = created.length === 0 ? 'dropped' : 'replaced';
    return { effects: [{ what, relation, namedBy: 'nobody' }], wanted: 'before' };
  }
  let wanted: Wanted;
  const effects = known.flatMap(({ facts }): Effect[] => {
    if (facts === undefined || !facts.isTable) return [];
    const then = created.length === 0 ? 'gone' : names.after(facts, suspect.transaction);
    const now = then ?? heldSince(names.now(facts), suspect);
    if (now === undefined) wanted = 'after';
    if (now === 'gone' || now === undefined)
      return [
        {
          what: now === 'gone' ? 'dropped' : 'replaced',
          relation: labelOf(facts),
          ...sizeOf(facts),
          namedBy: facts.by,
        },
      ];
    return [became(suspect, facts, now, facts.by)];
  });
  return { effects, wanted };
}

/**
 * The files that it has left are the service's to this day, and each took the place of an old one: those tell all of it. The file of a
 * relation that is new has that relation's own number.
 */
function onlyRenewed({ dropped, created }: Suspect, holders: readonly RelationFacts[]): boolean {
  const renewed = holders.filter(({ oid, file }) => numberOf(file) !== oid);
  return created.length === dropped.length && renewed.length === created.length;
}

function numberOf(file: RelationFile): number {
  return Number(file.slice(file.lastIndexOf('/') + 1));
}

/** What a table is now tells what the transaction did to it only if it left it the file that it has now. */
function heldSince(now: RelationFacts | 'gone' | undefined, { created }: Suspect): RelationFacts | undefined {
  if (now === undefined || now === 'gone') return undefined;
  return created.some(({ file }) => file === now.file) ? now : undefined;
}

/**
 * A rewrite builds a new relation and takes over its file, which therefore has the number of a relation that is gone. What only got a new
 * number, and no pages but those of new rows, was emptied.
 */
function became(
  { created, touched, truncated }: Suspect,
  before: RelationFacts,
  after: RelationFacts,
  namedBy: NamedBy,
): Effect {
  const file = created.find((one) => one.file === after.file);
  const relation = labelOf(before);
  const rebuilt = file?.copied || touched.includes(numberOf(after.file));
  const emptied = truncated.includes(before.oid) || (file !== undefined && !rebuilt);
  if (!emptied) return { what: 'rewritten', relation, namedBy };
  const inserted = file?.inserted;
  return { what: 'truncated', relation, ...sizeOf(before), namedBy, ...(inserted && { inserted }) };
}

function labelOf({ name, root }: RelationFacts): string {
  return root === undefined ? name : `${name} (of ${root})`;
}

function sizeOf({ rows, bytes }: RelationFacts): Pick<Effect, 'rows' | 'about' | 'bytes'> {
  if (rows !== undefined) return { rows, about: true };
  return bytes === undefined ? {} : { bytes };
}

/** A row takes about so much: only to compare what is known in bytes with what is known in rows. */
const bytesOfRow = 100;

function weightOf({ what, rows, bytes }: Effect, otherwise: number): number {
  if (what === 'rewritten') return 0;
  if (what === 'dropped database') return Number.MAX_SAFE_INTEGER;
  return rows ?? (bytes === undefined ? otherwise : Math.ceil(bytes / bytesOfRow));
}

export interface Choice {
  leastRows: number;
  /** Only what was done to this table. */
  table?: string;
  order: 'weight' | 'time';
  limit: number;
}

/** What is told, in the order that was asked for; and how much more there is. */
export function findingsOf(
  suspects: readonly Suspect[],
  names: Names,
  { leastRows, table, order, limit }: Choice,
  repository: Pick<Repository, 'timelines'>,
  timeline: number,
): { findings: Finding[]; more: number } {
  const path = pathTo(repository, timeline);
  const all = suspects.flatMap((suspect): Finding[] => {
    const { effects } = effectsOf(suspect, names);
    const told = effects
      .filter(({ what, rows = 0 }) => (what !== 'deleted' && what !== 'updated') || rows >= leastRows)
      .filter(({ what, rows }) => what !== 'truncated' || rows !== 0)
      .filter(({ relation, what }) => table === undefined || what === 'dropped database' || isOf(relation, table));
    if (told.length === 0) return [];
    return [
      {
        transaction: suspect.transaction,
        at: suspect.at,
        effects: told,
        weight: Math.min(
          Number.MAX_SAFE_INTEGER,
          told.reduce((sum, effect) => sum + weightOf(effect, leastRows), 0),
        ),
        target: {
          kind: 'lsn',
          lsn: suspect.before,
          inclusive: false,
          timeline: timelineAt(path, suspect.before) ?? timeline,
        },
        ...(suspect.prepared && { prepared: true as const }),
        ...(suspect.partly && { partly: true as const }),
      },
    ];
  });
  all.sort((a, b) => (order === 'weight' && b.weight - a.weight) || (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  return { findings: all.slice(0, limit), more: Math.max(0, all.length - limit) };
}

function isOf(relation: string, table: string): boolean {
  return relation === table || relation.startsWith(`${table} (of `) || relation.endsWith(` (of ${table})`);
}
