#!/usr/bin/env bash
# statement_test.sh - a step that asks a database: what it read is known to later steps, to a fault's undo, and judged.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:1

programs=$(printf '%s\n' /usr/lib/postgresql/*/bin | tail -n 1)
[ -x "$programs/postgres" ] || skip_all "there is no PostgreSQL here"
as_postgres=()
[ "$(id -u)" -ne 0 ] || as_postgres=(setpriv --reuid=postgres --regid=postgres --clear-groups --pdeathsig QUIT)
data=$work/data port=5432 # of a network namespace of our own
chmod 755 "$work"
mkdir -m 700 "$data"
[ "$(id -u)" -ne 0 ] || chown postgres "$data"
printf 'sesame-of-%s\n' "$RANDOM$RANDOM" >"$work/password"
chmod 644 "$work/password"
cd "$data" || exit 1
"${as_postgres[@]}" "$programs/initdb" -D "$data/db" -U drill -A scram-sha-256 --pwfile="$work/password" -N --locale=C --encoding=UTF8 >"$work/initdb" 2>&1 ||
    skip_all "initdb: $(tail -n 1 "$work/initdb")"
"${as_postgres[@]}" "$programs/postgres" -D "$data/db" -p $port -h 127.0.0.1 -c unix_socket_directories= -c fsync=off -c shared_buffers=4MB >"$work/log" 2>&1 &
server=$!
at_end bash -c "kill -QUIT $server 2>/dev/null"
PGPASSWORD=$(<"$work/password")
export PGPASSWORD
sql() {
    psql -h 127.0.0.1 -p $port -U drill -d postgres -v ON_ERROR_STOP=1 -At -c "$1"
}
wait_for 60 sql 'select 1' || skip_all "PostgreSQL does not answer: $(tail -n 1 "$work/log")"
sql "create table orders (id int, made timestamptz default now()); insert into orders select generate_series(1, 1200)" >"$work/made"

mkdir "$work/scenarios" "$work/environments"
{
    cat "$LAB_STATE/environments/bare.yaml"
    echo 'secrets: {db: {env: PGPASSWORD}}'
} >"$work/environments/bare.yaml"
printf 'project: statement\nstate: state\n' >"$work/faildrill.yaml"
# scenario NAME QUERY CAPTURE [OK]
scenario() {
    cat >"$work/scenarios/$1.yaml" <<END
scenario: $1
targets:
  victim: {role: idle, pick: 1}
probes:
  door: {tcp: "\${target.victim.address}:22", every: 100ms, control: true}
steady: {for: 300ms}
hold: 300ms
observe: 300ms
settle: 20s
steps:
  - name: ask
    sql: "postgresql://drill@127.0.0.1:$port/postgres"
    password: "\${secret.db}"
    query: "$2"
    capture: {orders: $3}
    ${4:-}
  - run: printf '%s' "\${capture.orders}" >/run/broken
    target: victim
    fault: true
    for: 1s
    undo: '[ "\$(cat /run/broken 2>/dev/null)" != "\${capture.orders}" ] || { printf "%s" "\${capture.orders}" >/run/undone; rm /run/broken; }'
    proof: '[ "\$(cat /run/broken 2>/dev/null)" = "\${capture.orders}" ]'
always:
  - {sql: "postgresql://drill@127.0.0.1:$port/postgres", password: "\${secret.db}", query: "insert into orders values (0)"}
expect:
  orders: {min: 1000}
undo: {lease: 3s, grace: 3s}
END
}
# drill STATUS WORDS...
drill() {
    local want=$1 got=0
    shift
    (cd "$work" && exec "$FAILDRILL" --no-input "$@" >"$work/said" 2>&1) || got=$?
    cat "$work/said"
    [ "$got" -eq "$want" ]
}
undone() {
    [ "$("$lab" exec bare-1 cat /run/undone)" = 1200 ]
}
zeros() {
    [ "$(sql 'select count(*) from orders where id = 0')" -eq "$1" ]
}

scenario counts 'select count(*) as orders, min(made) from orders where id > 0' '{column: orders, as: int}' 'ok: {rows: 1, value: \"1200\"}'
sed -i 's/\\"1200\\"/"1200"/' "$work/scenarios/counts.yaml"
check "a plan shows the statement" bash -c "cd '$work' && '$FAILDRILL' plan -e bare counts | grep -q 'select count'"
check "which is not sent for that" zeros 0
check "what it read is judged" drill 0 run -e bare counts
check "and shown" grep -q 'orders.*1 *200' "$work/said"
check "a fault's undo knew it" undone
check "what comes last was sent as well" zeros 1
scenario misses 'select count(*) as orders from orders where id > 0' '{column: order, as: int}'
check "a column that is not there breaks nothing" drill 3 run -e bare misses
# shellcheck disable=SC2016
check "and is named" grep -q '`orders` was not captured: there is no such column, or it is NULL' "$work/said"
scenario refuses 'select no_such_thing from orders' '{column: orders, as: int}'
check "what the server has against it is said" drill 3 run -e bare refuses
check "in its words" grep -q 'step 1: 42703' "$work/said"
scenario others 'select count(*) as orders from orders where id > 0' '{column: orders, as: int}' 'ok: {rows: 2}'
check "another number of rows ends it" drill 3 run -e bare others
check "before anything is broken" bash -c "! grep -q 'guard armed' '$work/said'"
kill -QUIT "$server"
wait "$server" 2>/dev/null
check "nobody there is no answer" drill 3 run -e bare counts
check "and said to be" grep -q 'step 1: no answer' "$work/said"
check "the password is nowhere" bash -c "! grep -rqaF '$PGPASSWORD' '$work/said' '$work/state'"
