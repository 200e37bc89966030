/** Lines as pg_waldump prints them, made up. */

let position = 0x1000;

function nextLsn(): string {
  position += 0x40;
  return `0/${position.toString(16).toUpperCase().padStart(8, '0')}`;
}

export function line(manager: string, xid: number, text: string, lsn = nextLsn()): string {
  return `rmgr: ${manager.padEnd(11)} len (rec/tot):     54/    54, tx: ${String(xid).padStart(10)}, lsn: ${lsn}, prev 0/00000028, desc: ${text}`;
}

export const remove = (xid: number, file: string, flags = '0x00'): string =>
  line('Heap', xid, `DELETE off 4 flags ${flags} KEYS_UPDATED , blkref #0: rel ${file} blk 7`);

export const update = (xid: number, file: string, how = 'HOT_UPDATE'): string =>
  line('Heap', xid, `${how} off 13 xmax ${xid} flags 0x60 ; new off 14 xmax 0, blkref #0: rel ${file} blk 3 FPW`);

export const insert = (xid: number, file: string): string =>
  line('Heap', xid, `INSERT+INIT off 1 flags 0x08, blkref #0: rel ${file} blk 0`);

interface Clauses {
  at?: string;
  rels?: string[];
  parts?: number[];
  touched?: number[];
  prepared?: number;
  kind?: 'COMMIT' | 'ABORT';
}

export function end(xid: number, clauses: Clauses = {}, lsn = nextLsn()): string {
  const { at = '2026-11-21 14:03:07.221456', rels, parts, touched, prepared, kind = 'COMMIT' } = clauses;
  const words = [
    prepared === undefined ? `${kind} ${at} UTC` : `${kind}_PREPARED ${prepared}: ${at} UTC`,
    ...(rels ? [`rels: ${rels.join(' ')}`] : []),
    ...(parts ? [`subxacts: ${parts.join(' ')}`] : []),
    ...(touched ? [`inval msgs: catcache 55 ${touched.map((oid) => `relcache ${oid}`).join(' ')}`] : []),
  ];
  return line('Transaction', prepared === undefined ? xid : 0, words.join('; '), lsn);
}
