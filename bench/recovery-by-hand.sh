#!/bin/bash
# A point-in-time recovery in place as somebody would script it who knows PostgreSQL, pgBackRest and HAProxy well, and leaves pgBackRest as it
# comes: one process, WAL fetched when it is asked for; first the primary, then its standby. The same proofs as Lifeboat's before anybody is let
# in: where recovery ended, the same rows on both, the plan's assertions, indexes. It asks nobody, undoes nothing, and writes no evidence; it is
# what Lifeboat's recovery is measured against.
#
# Environment: BIN (programs of PostgreSQL), PGBACKREST, STANZA, LABEL (of the backup), TARGET (a moment with its offset), TIMELINE, AS (words
# before a command that make it run as the database's user; may be empty), DOOR (the runtime socket of HAProxy), BACKEND, DATABASE, TABLES
# (critical ones), ASSERTIONS (a file: expected value, a tab, the statement), PRIMARY and STANDBY (hosts, as HAProxy names them), and of each of
# the two, with P_ or S_ before it: DATA, SOCKET, PORT, CONFIG (of pgBackRest), LOG; FOLLOW (how the standby connects to the primary).
set -euo pipefail
export TZ=UTC LC_ALL=C PGOPTIONS='-c client_min_messages=error'

fail() { echo "NOT RECOVERED: $*" >&2; exit 1; }
say() { echo "$(date +%T.%3N) $*"; }
run() { $AS "$@"; }
query() { run "$BIN/psql" -XAtq -v ON_ERROR_STOP=1 -h "$1" -p "$2" -U postgres -d "$3" -c "$4"; }
primary() { query "$P_SOCKET" "$P_PORT" postgres "$1"; }
standby() { query "$S_SOCKET" "$S_PORT" postgres "$1"; }
backrest() { run "$PGBACKREST" --config="$1" --stanza="$STANZA" --log-level-console=off --log-level-stderr=warn --log-level-file=off "${@:2}"; }
door() { perl -MIO::Socket::UNIX -e 'my $door = IO::Socket::UNIX->new($ARGV[0]) or die "$ARGV[0]: $!\n"; print $door "$ARGV[1]\n"; print while <$door>' "$DOOR" "$1"; }
# Status, sessions.
state() { door 'show stat' | awk -F, -v backend="$BACKEND" -v server="$1" '$1 == backend && $2 == server { print $18, $5 }'; }
within() { local tries=$1 pause=$2; shift 2; until "$@"; do test $((tries -= 1)) -gt 0 || fail "waited too long for: $*"; sleep "$pause"; done; }
stop() { run "$BIN/pg_ctl" stop -s -w -m fast -t 600 -D "$1"; }
start() { run "$BIN/pg_ctl" start -s -w -t 600 -D "$1" -l "$2" || fail "$1 did not start: $(tail -n 20 "$2")"; }

say 'assessment'
test "$(primary 'select pg_is_in_recovery()')" = f || fail "$PRIMARY is not the primary"
test "$(standby 'select status from pg_stat_wal_receiver')" = streaming || fail "$STANDBY does not stream"
backrest "$P_CONFIG" info --output=json | grep -q "\"label\":\"$LABEL\"" || fail "there is no backup $LABEL"

say 'close the front door'
close="shutdown sessions server $BACKEND/$PRIMARY; shutdown sessions server $BACKEND/$STANDBY"
door "set server $BACKEND/$PRIMARY state maint; set server $BACKEND/$STANDBY state maint; $close"
drained() { test "$(state "$PRIMARY")" = 'MAINT 0' || { door "$close"; false; }; }
within 300 0.01 drained
archived() { test "$(primary "select last_archived_wal >= '$1' from pg_stat_archiver")" = t; }
within 1200 0.1 archived "$(primary 'select pg_walfile_name(pg_switch_wal())')"
say 'stop both servers'
stop "$S_DATA"
stop "$P_DATA"

say 'restore the primary'
run mv "$P_DATA" "$P_DATA.before-hand"
run mkdir -m 700 "$P_DATA"
backrest "$P_CONFIG" --set="$LABEL" --type=time --target="$TARGET" --target-action=pause --target-timeline="$TIMELINE" --process-max=1 restore
say 'replay'
start "$P_DATA" "$P_LOG"
paused() { test "$(primary 'select pg_get_wal_replay_pause_state()' 2>/dev/null)" = paused; }
within 6000 0.1 paused
prints() { for table in $TABLES; do query "$1" "$2" "$DATABASE" "select '$table', count(*), sum(hash_record_extended(t.*, 0)::numeric) from $table t"; done; }
say 'prove'
rows=$(prints "$P_SOCKET" "$P_PORT")
while IFS=$'\t' read -r expected statement; do
  test "$(query "$P_SOCKET" "$P_PORT" "$DATABASE" "$statement")" = "$expected" || fail "$statement"
done <"$ASSERTIONS"
if test "$(query "$P_SOCKET" "$P_PORT" "$DATABASE" "select count(*) from pg_extension where extname = 'amcheck'")" = 1; then
  run "$BIN/pg_amcheck" -h "$P_SOCKET" -p "$P_PORT" -U postgres -d "$DATABASE" --heapallindexed >/dev/null
fi

say 'promote'
primary 'select pg_wal_replay_resume()' >/dev/null
promoted() { test "$(primary 'select pg_is_in_recovery()')" = f; }
within 1200 0.05 promoted
primary 'checkpoint'
primary "select pg_create_physical_replication_slot('$STANDBY', true)" >/dev/null
within 1200 0.1 archived "$(primary "select pg_logical_emit_message(false, 'hand', 'end'); select pg_walfile_name(pg_switch_wal())" | tail -n 1)"

say 'restore the standby'
run mv "$S_DATA" "$S_DATA.before-hand"
run mkdir -m 700 "$S_DATA"
backrest "$S_CONFIG" --set="$LABEL" --type=standby --process-max=1 \
  --recovery-option="primary_conninfo=$FOLLOW" --recovery-option="primary_slot_name=$STANDBY" restore
# The backup brought the primary's own files: its port, among others.
run find "$S_DATA.before-hand" -maxdepth 1 -name '*.conf' ! -name postgresql.auto.conf -exec cp -p -t "$S_DATA" {} +
start "$S_DATA" "$S_LOG"
follows() { test "$(primary "select state from pg_stat_replication where application_name = '$STANDBY'")" = streaming; }
within 6000 0.1 follows
end=$(primary 'select pg_current_wal_lsn()')
caught_up() { test "$(standby "select pg_last_wal_replay_lsn() >= '$end'")" = t; }
within 1200 0.05 caught_up
test "$(prints "$S_SOCKET" "$S_PORT")" = "$rows" || fail 'the standby holds other rows'

say 'open the front door'
door "set server $BACKEND/$PRIMARY state ready"
door "set server $BACKEND/$STANDBY weight 0; set server $BACKEND/$STANDBY state ready"
out() { [[ $(state "$STANDBY") == DOWN* ]]; }
within 200 0.1 out
door "set server $BACKEND/$STANDBY weight 100%"
say 'recovered'
