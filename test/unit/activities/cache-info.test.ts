import { describe, expect, test } from 'vitest';
import { memberOf, parseInfo } from '../../../activities/cache/info.ts';
import { asideIn } from '../../../activities/cache/set-aside.ts';

const nameAt = (host: string, port: number) => (host === '10.0.0.1' ? `db1:${port}` : `${host}:${port}`);

const replica = `# Server\r
run_id:abc\r
# Persistence\r
loading:0\r
aof_enabled:1\r
aof_last_bgrewrite_status:ok\r
aof_last_write_status:ok\r
# Replication\r
role:slave\r
master_host:10.0.0.1\r
master_port:6379\r
master_link_status:up\r
master_sync_in_progress:0\r
slave_repl_offset:4200\r
master_replid:one\r
master_replid2:0000000000000000000000000000000000000000\r
master_repl_offset:4300\r
second_repl_offset:-1\r
# Stats\r
keyspace_hits:7\r
keyspace_misses:3\r
used_memory:100\r
maxmemory:0\r
# Keyspace\r
db0:keys=3,expires=0,avg_ttl=0\r
db4:keys=2,expires=1,avg_ttl=9\r
`;

test('a replica says whom it follows, and how far it has come', () => {
  expect(memberOf('db2:6379', parseInfo(replica), nameAt)).toEqual({
    name: 'db2:6379',
    runId: 'abc',
    role: 'replica',
    replication: { id: 'one', offset: 4200 },
    follows: { master: 'db1:6379', up: true },
    keys: 5,
    memory: { usedBytes: 100, mostBytes: 0 },
    appendOnly: 'on',
    asked: { hits: 7, misses: 3 },
  });
});

test('one that is given all of it anew has not come anywhere yet', () => {
  const info = parseInfo(replica.replace('master_sync_in_progress:0', 'master_sync_in_progress:1'));
  expect(memberOf('db2:6379', info, nameAt).follows?.up).toBe(false);
});

test('a master that was promoted says up to where it has the history of the one before', () => {
  const info = parseInfo(
    replica
      .replace('role:slave', 'role:master')
      .replace(/master_replid2:0+/, 'master_replid2:before')
      .replace('second_repl_offset:-1', 'second_repl_offset:4101'),
  );
  expect(memberOf('db2:6379', info, nameAt).replication).toEqual({
    id: 'one',
    offset: 4300,
    before: { id: 'before', offset: 4100 },
  });
});

test.each([
  ['aof_last_write_status:ok', 'aof_last_write_status:err'],
  ['aof_last_bgrewrite_status:ok', 'aof_last_bgrewrite_status:err'],
])('an append-only file that cannot be written is said (%s)', (before, after) => {
  expect(memberOf('db2:6379', parseInfo(replica.replace(before, after)), nameAt).appendOnly).toBe('failing');
});

test('one that loads its data has no role yet', () => {
  const info = parseInfo(replica.replace('loading:0', 'loading:1'));
  expect(memberOf('db2:6379', info, nameAt)).toMatchObject({ role: 'unknown', loading: true });
});

describe('the folder for old files', () => {
  test('lies in the data directory, by the name of a run', () => {
    expect(asideIn('/srv/redis', 'before-orders-1a2b')).toBe('/srv/redis/before-orders-1a2b');
  });

  test.each(['', '.', '..', 'before-', 'before-/../x', 'other', 'before-a/b'])('is never "%s"', (aside) => {
    expect(() => asideIn('/srv/redis', aside)).toThrow(expect.objectContaining({ type: 'NotPermitted' }));
  });
});
