#!/bin/bash
# The planned change of primary and standby as somebody would script it who knows PostgreSQL and HAProxy well: the same commands in the same
# order, a checkpoint beforehand, nothing that could wait done while nobody can write. It asks nobody, undoes nothing, and writes no evidence;
# it is what Lifeboat's switchover is measured against.
#
# Environment: BIN (programs of PostgreSQL), AS (words before a command that make it run as the database's user; may be empty), DOOR (the
# runtime socket of HAProxy), BACKEND, FROM and TO (hosts, as HAProxy names them), and of each of the two FROM_DATA, FROM_SOCKET, FROM_PORT,
# TO_DATA, TO_SOCKET, TO_PORT; FOLLOW (how the old primary connects to the new one), LOG (of the old primary's next start).
set -euo pipefail
export TZ=UTC LC_ALL=C PGOPTIONS='-c client_min_messages=error'

fail() { echo "NOT SWITCHED: $*" >&2; exit 1; }
say() { echo "$(date +%T.%3N) $*"; }
run() { $AS "$@"; }
from() { run "$BIN/psql" -XAtq -h "$FROM_SOCKET" -p "$FROM_PORT" -U postgres -d postgres -c "$1"; }
to() { run "$BIN/psql" -XAtq -h "$TO_SOCKET" -p "$TO_PORT" -U postgres -d postgres -c "$1"; }
door() { perl -MIO::Socket::UNIX -e 'my $door = IO::Socket::UNIX->new($ARGV[0]) or die "$ARGV[0]: $!\n"; print $door "$ARGV[1]\n"; print while <$door>' "$DOOR" "$1"; }
# Status, sessions.
state() { door 'show stat' | awk -F, -v backend="$BACKEND" -v server="$1" '$1 == backend && $2 == server { print $18, $5 }'; }
# A wait that never ends would be taken for a slow switchover.
within() { local tries=$1 pause=$2; shift 2; until "$@"; do test $((tries -= 1)) -gt 0 || fail "waited too long for: $*"; sleep "$pause"; done; }

say 'assessment'
test "$(from 'select pg_is_in_recovery()')" = f || fail "$FROM is not the primary"
test "$(to 'select status from pg_stat_wal_receiver')" = streaming || fail "$TO does not stream"
system=$(from 'select system_identifier from pg_control_system()')
test "$system" = "$(to 'select system_identifier from pg_control_system()')" || fail "$TO is no copy of $FROM"

say 'beforehand'
to "select pg_drop_replication_slot('$FROM') from pg_replication_slots where slot_name = '$FROM'" >/dev/null
to "select pg_create_physical_replication_slot('$FROM', true)" >/dev/null
from 'checkpoint'

say 'close the front door'
close="shutdown sessions server $BACKEND/$FROM; shutdown sessions server $BACKEND/$TO"
door "set server $BACKEND/$FROM state maint; set server $BACKEND/$TO state maint; $close"
drained() { test "$(state "$FROM")" = 'MAINT 0' || { door "$close"; false; }; }
within 300 0.01 drained
say 'stop the primary'
run "$BIN/pg_ctl" stop -s -w -m fast -D "$FROM_DATA"
control=$(run "$BIN/pg_controldata" -D "$FROM_DATA")
grep -q '^Database cluster state: *shut down$' <<<"$control" || fail "$FROM was not shut down in order"
end=$(sed -n 's/^Latest checkpoint location: *//p' <<<"$control")
caught_up() { test "$(to "select pg_last_wal_replay_lsn() > '$end'")" = t; }
within 1000 0.01 caught_up
say 'promote the standby'
run "$BIN/pg_ctl" promote -s -w -D "$TO_DATA"
say 'open the front door'
door "set server $BACKEND/$TO state ready"

say 'follow'
settings=$(grep -Ev '^(primary_conninfo|primary_slot_name) *=' <(run cat "$FROM_DATA/postgresql.auto.conf") || true)
printf "%s\nprimary_conninfo = '%s'\nprimary_slot_name = '%s'\n" "$settings" "$FOLLOW" "$FROM" |
  run tee "$FROM_DATA/postgresql.auto.conf" >/dev/null
run touch "$FROM_DATA/standby.signal"
run "$BIN/pg_ctl" start -s -w -D "$FROM_DATA" -l "$LOG"
follows() { test "$(to "select state from pg_stat_replication where application_name = '$FROM'")" = streaming; }
within 1200 0.05 follows
from "select pg_drop_replication_slot('$TO') from pg_replication_slots where slot_name = '$TO'" >/dev/null
# What leaves maintenance counts as up until its first check: it gets no session before that has put it out.
door "set server $BACKEND/$FROM weight 0; set server $BACKEND/$FROM state ready"
out() { [[ $(state "$FROM") == DOWN* ]]; }
within 200 0.1 out
door "set server $BACKEND/$FROM weight 100%"
from 'checkpoint'
say 'switched'
