#!/bin/bash
# The monthly drill as somebody would script it who knows PostgreSQL and pgBackRest well: the same backup, the same target, the same
# checks, the best settings. It survives nothing, asks nobody and writes no evidence; it is what Lifeboat's drill is measured against.
#
# Environment: BIN (programs of PostgreSQL), PGBACKREST, CONFIG, STANZA, CORES, FOLDER (an empty folder of its own), DOOR (a connection
# string of the primary), DATABASE, SMOKE (the application's own test), and three files in FOLDER:
#   anchor       first line: LSN; then a line a table: name|rows|fingerprint
#   assertions   a line each: expected value, a tab, the statement
#   pulses       the log of acknowledged pulses, a JSON object a line
set -euo pipefail
export TZ=UTC LC_ALL=C PGOPTIONS='-c client_min_messages=error'

fail() { echo "NOT PROVEN: $*" >&2; exit 1; }
say() { echo "$(date +%T.%3N) $*"; }
data=$FOLDER/data
backrest() { "$PGBACKREST" --config="$CONFIG" --stanza="$STANZA" --log-level-console=off --log-level-stderr=warn --log-level-file=off "$@"; }
door() { "$BIN/psql" -XAtq -d "$DOOR" -c "$1"; }
scratch() { "$BIN/psql" -XAtq -v ON_ERROR_STOP=1 -h "$FOLDER" -p 5432 -U postgres -d "$DATABASE" "$@"; }
stop() { "$BIN/pg_ctl" stop -s -D "$data" -m "$1" || true; }
trap 'test -e "$data/postmaster.pid" && stop immediate; rm -rf "$FOLDER"' EXIT

say 'assessment'
IFS='|' read -r last_wal timeline version < <(door "select last_archived_wal, ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int,
  current_setting('server_version_num')::int / 10000 from pg_stat_archiver")
last_wal=${last_wal:0:24}
"$BIN/postgres" --version | grep -q " $version\." || fail "this host does not have PostgreSQL $version"
info=$(backrest info --output=json)
label=$(grep -oE '"label":"[0-9]{8}-[0-9]{6}F[^"]*"' <<<"$info" | tail -n 1 | cut -d'"' -f4)
archive=$(grep -oE '"archive":\[\{[^]]*"id":"[^"]+"' <<<"$info" | grep -oE '"id":"[^"]+"' | tail -n 1 | cut -d'"' -f4)
first_wal=$(grep -oE '"archive":\{"start":"[0-9A-F]{24}","stop":"[0-9A-F]{24}"\}' <<<"$info" | tail -n 1 | grep -oE '[0-9A-F]{24}' | head -n 1)
segments=$(backrest repo-ls --recurse "archive/$STANZA/$archive" | grep -oE '/[0-9A-F]{24}-' | tr -d '/-' | sort -u)
needed=$(awk -v first="$first_wal" -v last="$last_wal" '"x" $1 >= "x" first && "x" $1 <= "x" last' <<<"$segments" | wc -l)
number() { echo $((16#${1:8:8} * 256 + 16#${1:16:8})); }
test "$needed" = $(($(number "$last_wal") - $(number "$first_wal") + 1)) || fail "there is a gap between $first_wal and $last_wal"
mkdir -m 700 "$FOLDER/wal" "$FOLDER/lock" "$FOLDER/spool" "$data"
backrest --lock-path="$FOLDER/lock" archive-get "$last_wal" "$FOLDER/wal/$last_wal"
target=$("$BIN/pg_waldump" --path="$FOLDER/wal" --rmgr=Transaction "$last_wal" 2>/dev/null | grep -E 'desc: COMMIT' | tail -n 1 |
  sed -E 's/.*lsn: ([0-9A-F/]+),.*/\1/')
test -n "$target" || fail "there is no commit in $last_wal"
test "$(df --output=avail -B1 "$FOLDER" | tail -n 1)" -gt 4000000000 || fail 'there is no room'
anchor=$(head -n 1 "$FOLDER/anchor")

say "restore $label"
backrest --pg1-path="$data" --lock-path="$FOLDER/lock" --set="$label" --type=none --archive-mode=off --process-max="$CORES" restore
fetch="$PGBACKREST --config=$CONFIG --stanza=$STANZA --pg1-path=$data --lock-path=$FOLDER/lock --log-level-file=off --archive-async"
fetch="$fetch --spool-path=$FOLDER/spool --archive-get-queue-max=1GiB --process-max=$CORES archive-get %f \"%p\""
cat >"$data/postgresql.auto.conf" <<EOF
restore_command = '$fetch'
recovery_target_timeline = '$timeline'
recovery_target_action = 'pause'
primary_conninfo = ''
listen_addresses = ''
unix_socket_directories = '$FOLDER'
port = 5432
archive_mode = off
autovacuum = off
fsync = off
full_page_writes = off
synchronous_commit = off
shared_buffers = '1GB'
maintenance_work_mem = '256MB'
max_wal_size = '64GB'
checkpoint_timeout = '1d'
EOF
replay() {
  say "replay to $1"
  sed -i '/^recovery_target_lsn\|^recovery_target_inclusive/d' "$data/postgresql.auto.conf"
  printf "recovery_target_lsn = '%s'\nrecovery_target_inclusive = %s\n" "$1" "$2" >>"$data/postgresql.auto.conf"
  touch "$data/recovery.signal"
  "$BIN/pg_ctl" start -s -D "$data" -l "$FOLDER/server.log"
  until test "$(scratch -c 'select pg_get_wal_replay_pause_state()' 2>/dev/null)" = paused; do
    test -e "$data/postmaster.pid" || fail "$(tail -n 3 "$FOLDER/server.log")"
    sleep 0.2
  done
  grep -q 'recovery stopping' "$FOLDER/server.log" || fail 'paused, but not at the target'
}

replay "$anchor" off
tail -n +2 "$FOLDER/anchor" | while IFS='|' read -r table rows fingerprint; do
  found=$(scratch -c "set jit = off" -c "select count(*), sum(hash_record_extended(t.*, 0)::numeric) from $table t")
  test "$found" = "$rows|$fingerprint" || fail "$table is $found, expected $rows|$fingerprint"
done
stop fast
replay "$target" on

assertions() {
  say 'assertions'
  while IFS=$'\t' read -r expected statement; do
    found=$(scratch -c "set default_transaction_read_only = on" -c "$statement" </dev/null)
    test "$found" = "$expected" || fail "$statement: $found, expected $expected"
  done <"$FOLDER/assertions"
}
assertions
"$BIN/pg_ctl" promote -s -w -D "$data"
say 'application'
PGHOST=$FOLDER PGPORT=5432 PGDATABASE=$DATABASE PGUSER=postgres "$SMOKE" || fail 'the application does not work'
say 'pulses'
missing=$(scratch <<EOF
create temp table log (line jsonb);
\copy log from '$FOLDER/pulses' with (format csv, quote e'\x01', delimiter e'\x02')
select count(*) from log where not line ? 'failed' and (line->>'lsn')::pg_lsn <= '$target'
  and not exists (select from lifeboat.pulse where number = (line->>'number')::bigint);
EOF
)
test "$missing" = 0 || fail "$missing pulses are missing"
say 'indexes'
"$BIN/pg_amcheck" -h "$FOLDER" -p 5432 -U postgres --install-missing --parent-check --heapallindexed --jobs="$CORES" --database="$DATABASE"
say 'constraints'
own="n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and n.nspname !~ '^pg_temp_'"
loose="a.attnotnull and a.attnum > 0 and not a.attisdropped and a.attidentity = '' and r.relkind = 'r' and $own
  and not exists (select from pg_index i where i.indrelid = a.attrelid and i.indisprimary and a.attnum = any (i.indkey))"
scratch >/dev/null <<EOF
set allow_system_table_mods = on;
create temp table proof as
  select format('alter table %s validate constraint %I', conrelid::regclass, conname) as statement
  from pg_constraint c join pg_class r on r.oid = c.conrelid join pg_namespace n on n.oid = r.relnamespace
  where contype in ('f', 'c') and convalidated and conparentid = 0 and coninhcount = 0 and r.relkind in ('r', 'p') and $own
  union all
  select format('reindex index %s', i.indexrelid::regclass)
  from pg_index i join pg_class r on r.oid = i.indexrelid join pg_namespace n on n.oid = r.relnamespace
  where (i.indisunique or i.indisexclusion) and i.indisvalid and r.relkind = 'i' and $own
  union all
  select format('alter table only %s alter column %I set not null', attrelid::regclass, attname)
  from pg_attribute a join pg_class r on r.oid = a.attrelid join pg_namespace n on n.oid = r.relnamespace where $loose;
update pg_constraint c set convalidated = false from pg_namespace n
  where n.oid = c.connamespace and contype in ('f', 'c') and convalidated and $own;
update pg_attribute a set attnotnull = false from pg_class r join pg_namespace n on n.oid = r.relnamespace
  where r.oid = a.attrelid and $loose;
select statement from proof \gexec
EOF
assertions
say 'checksums'
stop fast
"$BIN/pg_checksums" --check -D "$data" | grep -q 'Bad checksums:  0' || fail 'there are bad checksums'
say 'clean-up'
rm -rf "$FOLDER"
test ! -e "$FOLDER"
test -z "$(pgrep -f -- "$data" || true)" || fail 'processes are left'
say 'proven'
