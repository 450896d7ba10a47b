#!/usr/bin/env bash
# published_test.sh - experiments that others published, of scenarios/published, run on the lab's systems.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/databases/published_test.sh      ONLY: some of e01 e02 e03 e05 e06 e07 e10 e11 e12 e15
#
# Each is its file with the lab's names and shorter times. What the lab has not is left out of it: a Prometheus, an
# Alertmanager, a shop in front of Patroni. E4 is lock_row_test.sh; E8, E9, E13 and E14 want SAP, a web server with a
# certificate that people use and an Indy pool. For E2 and E11 the lab has MariaDB and RabbitMQ, not MySQL and Kafka.
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
export ONLY=${ONLY-$*}
chosen() {
    [ -z "${ONLY-}" ] || [[ " $ONLY " == *" $1 "* ]]
}
sets=()
# set_for NAME EXPERIMENT...: it is needed where one of them is chosen.
set_for() {
    local name
    for name in "${@:2}"; do
        ! chosen "$name" || { sets+=("$1") && return; }
    done
}
set_for staging e05 e06 e15
set_for web e07 e12
set_for patroni e01 e03 e10
set_for mariadb e02
set_for rabbitmq e11
set_for bare:1 e11
in_lab "${sets[@]}"

# shellcheck source=tests/drills.sh
. "$root/tests/drills.sh"
net=$(<"$LAB_STATE/net")
proxy=${net%.*}.$((${net##*.} + 5)).21
mariadb=${net%.*}.$((${net##*.} + 12))

mkdir "$work/environments"
# lab_of NAME SET EXPRESSION...: the set's environment as these experiments name its roles.
lab_of() {
    local name=$1 set=$2
    shift 2
    [[ " ${sets[*]} " == *" $set "* ]] || return 0
    sed -E "s/^environment: .*/environment: $name/; $*" "$LAB_STATE/environments/$set.yaml" >"$work/environments/$name.yaml"
}
lab_of shop_with_redis staging 's/^  redis:/  cache:/; s/^  api:$/  web:/; s/^  api: "/  shop: "/'
lab_of shop_of_servers web 's/^  orders: +#.*/  web:/'
lab_of shop_with_mariadb mariadb '/^  client:/s/client/web/'
# What may be cut off cannot hold the lock: another host does.
brokers() {
    local power="$lab --state $LAB_STATE power"
    lab_of queue_of_brokers rabbitmq "s/^  queue:/  broker:/; s/^roles:/&\n  other: {hosts: {bare-1: {address: $(<"$LAB_STATE/hosts/bare-1/address")}}}/"
    # shellcheck disable=SC2016
    printf 'lock: bare-1\npower: {down: "%s off ${host.name}", up: "%s on ${host.name}", status: "%s status ${host.name}"}\n' \
        "$power" "$power" "$power" >>"$work/environments/queue_of_brokers.yaml"
}
! chosen e11 || brokers
lab_of shop_with_postgres patroni '$ s/$/\n  web: {hosts: [patroni-lb-1]}/'
mkdir "$work/own"
printf 'project: published\nstate: state\nscenarios: [own]\nenvironments: [environments]\n' >"$work/faildrill.yaml"

# published FILE ENVIRONMENT EXPRESSION: runs it so; the word that it ends with has to be that of `wanted`.
published() {
    environment=$2
    sed -E "$3" "$root/scenarios/published/$1.yaml" >"$work/own/$1.yaml"
    wait_for 120 "$FAILDRILL" -C "$work" doctor "$environment" --no-input
    drill "$1"
    cat "$work/said"
    [ "$(field 'r["run"]["scenario"], r["verdict"]')" = "('$1', '$wanted')" ] && [ "$status" -eq "$(field 'r["status"]')" ]
}
sql() {
    PGCONNECT_TIMEOUT=5 psql -w -Atqc "$1" "postgresql://drill@$proxy:5000/shop"
}

# case_of NAME WANTED SENTENCE FILE ENVIRONMENT EXPRESSION CONDITION...
case_of() {
    local name=$1 wanted=$2 sentence=$3 condition
    shift 3
    chosen "$name" || return
    check "$name, $wanted: $sentence" published "$1" "$2" "$3"
    row "$1"
    for condition in "${@:4}"; do
        check "$name: $condition" holds "$condition"
    done
}
of_probe() {
    echo "[p for p in r['probes'] if p['name'] == '$1'][0]"
}

case_of e05 PASS 'clients are back within 30 s, nothing is lost' e05_redis_primary_failover shop_with_redis \
    's/for: 90s/for: 41s/; s#(endpoint.shop\})/#\1/checkout/ping#; s/under: 500ms/under: 1s/' \
    'f["writes"]["lost"] == 0 and f["writes"]["acked"] > 100' 'f["inside"]'
case_of e06 FAIL 'this shop has no breaker: it is not served until Redis is' e06_redis_unreachable shop_with_redis \
    's/for: 3m/for: 41s/; /retries/d; s#(endpoint.shop\})/#\1/checkout/ping#' \
    '[e["verdict"] for e in r["expectations"] if e["word"] == "recover_within"] == ["FAIL"]' 'r["undone"]["low_at_ns"] > 0'
case_of e15 PASS 'the shop says 503 and does not hang' e15_database_unreachable shop_with_redis \
    's/role: postgres/role: cache/; s#/orders#/checkout/ping#; s/for: 60s/for: 10s/' \
    '[e["verdict"] for e in r["expectations"] if "status_only" in e["word"]] == ["PASS"]'
case_of e07 PASS 'one of three is gone: the others serve' e07_quarter_of_the_servers shop_of_servers \
    's/25%/34%/; s/for: 2m/for: 90s/' 'len(r["faults"]) == 1 and r["faults_sent"] == 1'
case_of e12 PASS 'one web server is stopped, the application stays' e12_web_server_stopped shop_of_servers \
    's/for: 2m/for: 20s/; s/address\}:80"/address}:8080"/' "len($(of_probe direct)['stretches']) > 0"

no_benchmark_left() {
    [ "$(sql "select count(*) from pg_tables where tablename like 'pgbench%'")" = 0 ]
}
if chosen e01; then
    wait_for 60 sql 'create table if not exists products (id int); insert into products values (1)'
    bench="PGHOST=$proxy PGPORT=5000 PGUSER=drill pgbench"
    case_of e01 PASS 'the writer fails over beneath ten clients' e01_postgres_writer_fails_over shop_with_postgres \
        "s/pgbench --(ini|cli)/$bench --\\1/g; s/600/45/; s/timeout: 11m/timeout: 2m/; s/at: 5m/at: 15s/
        s/hold: 30s/hold: 10s/; s/every: 20ms/every: 50ms/" \
        'f["writes"]["lost"] == 0 and f["writes"]["acked"] > 100'
    check "e01: what pgbench made is gone" no_benchmark_left
fi
case_of e03 FAIL 'no connection is left, and clients see it' e03_connections_used_up shop_with_postgres \
    's/default: 15m/default: 8s/; s/default: 30m/default: 20s/; /told:|breaker:/d
    s/shop: \{http:.*/shop: {sql: postgres, query: "select 1", every: 500ms}/; s/max_outage: 10s/max_outage: 1s/' \
    "len($(of_probe shop)['stretches']) > 0" 'r["undone"]["low_at_ns"] > 0'
check "e03: the timeline has the steps" eval '! chosen e03 || grep -q " sessions are held, 0 connections of " "$work/said"'
shopless='/shop:/d; s/every: 20ms/every: 50ms/'
case_of e10 PASS 'a planned switchover loses nothing' e10_planned_switchover shop_with_postgres "$shopless" \
    'f["writes"]["lost"] == 0 and f["writes"]["acked"] > 100'
case_of e10 PASS 'its region gone, the database moves' e10_region_lost shop_with_postgres "$shopless; s/for: 4m/for: 50s/; s/ 2m\\b/ 30s/" \
    'f["inside"]' 'f["split"] is not None'
case_of e10 PASS 'the same, and the move is asked for' e10_forced_failover shop_with_postgres "$shopless" 'f["writes"]["lost"] == 0'

# Nobody fails this MariaDB over but the drill; a client asks each host in turn for one that takes writes.
give_load() {
    "$lab" --state "$LAB_STATE" exec mariadb-api-1 sh -c 'cat >/run/load' <<END
end=\$((\$(date +%s) + \$1)) written=0
while [ \$(date +%s) -lt \$end ]; do
    for host in $mariadb.11 $mariadb.12 $mariadb.13; do
        timeout 2 mariadb --no-defaults -u drill -h \$host shop -e 'create table if not exists e02 (id int); insert into e02 values (1)' &&
            written=\$((written + 1)) && break
    done 2>/dev/null
done
[ \$written -gt 10 ]
END
}
if chosen e02; then
    check "e02: the client has its load" give_load
    case_of e02 PASS 'the writer is killed between two loads, and clients find the next' e02_mysql_forced_failover shop_with_mariadb \
        's/role: mysql_writer, pick: 1/role: mariadb, is: primary/; s#sysbench.*--time=300 run#sh /run/load 6#; s#sysbench.*--time=60 run#sh /run/load 4#
        s/^  writer: \{tcp.*/  writer: {primary: mariadb, every: 250ms}/; s/^  orders: \{http.*/  orders: {ledger: mariadb, every: 100ms}/
        s/^  - reboot: writer/  - kill: writer\n  - failover: mariadb/; /timeout: 10m/d; s/wait: 2m/wait: 5s/
        s/^  writer: \{recover.*/  writer: {failover_within: 40s, max_split: 0s, redundant_within: 90s}/
        s/orders: \{recover_within: 40s/orders: {recover_not_before: 100ms, recover_within: 40s, max_downtime: 40s, max_lost: 0/' \
        'f["writes"]["lost"] == 0 and f["writes"]["acked"] > 50' 'f["inside"]' 'f["redundant"] is not None'
fi

# A quorum queue in the place of partitions. Its hosts have no systemd that could reboot them: their power is cut instead.
brokers='s/^  offline: \{prom.*/  offline: {primary: broker, every: 250ms}/; /^  behind: \{prom/d
    s/^  - reboot: broker/  - {power_off: broker, for: 20s}/; /timeout: 10m/d
    s/^  lost: \{prom.*/  lost: {ledger: broker, every: 200ms}/; s/^  behind: .*/  lost: {max_lost: 0}/; /^  lost: \{max_outage/d'
case_of e11 PASS 'a follower boots anew: the queue has its leader throughout' e11_broker_rebooted queue_of_brokers \
    "s/pick: 1/is: replica/; $brokers; s/offline: \{max_outage: 0s.*/offline: {max_outage: 0s, redundant_within: 2m}/" \
    'f["writes"]["lost"] == 0 and f["writes"]["acked"] > 20'
case_of e11 PASS 'the leader boots anew: another one is elected, and nothing is lost' e11_broker_rebooted queue_of_brokers \
    "s/pick: 1/is: primary/; $brokers; s/offline: \{max_outage: 0s.*/offline: {failover_within: 20s, redundant_within: 2m}/" \
    'f["writes"]["lost"] == 0 and f["writes"]["acked"] > 20' 'f["redundant"] is not None'
