#!/usr/bin/env bash
# alerts_test.sh - a real Prometheus and Alertmanager: does an alert fire, is one silent, and for how long.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
for program in prometheus prometheus-alertmanager; do
    command -v "$program" >/dev/null || skip_all "no $program here: make alerts-deps"
done
in_lab bare:1

address=$(<"$LAB_STATE/hosts/bare-1/address")
mkdir "$work/scenarios" "$work/environments" "$work/page"
printf 'project: alerts\nstate: state\n' >"$work/faildrill.yaml"

# What is watched: a page of one metric on the host.
"$lab" exec bare-1 sh -c 'mkdir -p /run/page && echo "shop_up 1" >/run/page/metrics'
"$lab" exec bare-1 sh -c 'cd /run/page && exec python3 -m http.server 9100 >/dev/null 2>&1' &
at_end kill $!

# Nobody else has this network: the ports are those that everybody knows.
cat >"$work/prometheus.yml" <<END
global: {scrape_interval: 500ms, scrape_timeout: 400ms, evaluation_interval: 500ms}
rule_files: [$work/rules.yml]
alerting: {alertmanagers: [{static_configs: [{targets: ["127.0.0.1:9093"]}]}]}
scrape_configs: [{job_name: shop, static_configs: [{targets: ["$address:9100"]}]}]
END
cat >"$work/rules.yml" <<'END'
groups:
  - name: shop
    rules:
      - {alert: ShopDown, expr: 'up{job="shop"} == 0', labels: {env: staging}}
END
cat >"$work/alertmanager.yml" <<'END'
route: {receiver: none, group_wait: 1s, group_interval: 1s}
receivers: [{name: none}]
END
prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/prometheus" \
    --web.listen-address=127.0.0.1:9090 >"$work/prometheus.log" 2>&1 &
at_end kill $!
prometheus-alertmanager --config.file="$work/alertmanager.yml" --storage.path="$work/alertmanager" --cluster.listen-address= \
    --web.listen-address=127.0.0.1:9093 >"$work/alertmanager.log" 2>&1 &
manager=$!
at_end sh -c "kill $manager 2>/dev/null"
api=http://127.0.0.1:9093/api/v2
up() {
    curl -sf 'http://127.0.0.1:9090/api/v1/query?query=up' | grep -q '"1"' && curl -sf "$api/alerts" | grep -qx '\[\]'
}
check "both are there" wait_for 60 up

{
    cat "$LAB_STATE/environments/bare.yaml"
    # shellcheck disable=SC2016
    printf 'endpoints: {prometheus: "http://127.0.0.1:9090", alertmanager: "http://127.0.0.1:9093/"}\nsilence: {alertmanager: "${endpoint.alertmanager}", matchers: ["env=staging"]}\n'
} >"$work/environments/bare.yaml"
cat >"$work/scenarios/told.yaml" <<'END'
scenario: told
targets:
  victim: {role: idle}
probes:
  told: {alert: ShopDown, labels: {env: staging}, every: 500ms}
  other: {alert: ShopDown, labels: {env: production}, every: 500ms, control: true}
  users: {prometheus: "min(up)", every: 500ms, ok: {value: "> 0"}}
steady: {for: 2s}
hold: 1s
observe: 1s
settle: 30s
steps:
  - isolate: victim
    for: 15s
halt:
  users: {max_outage: 60s}
expect:
  told: {detected_within: 12s}
  users: {max_outage: 40s, must_notice: true}
END
drill() {
    "$FAILDRILL" -C "$work" --no-input "$@"
}
silences() {
    curl -sf "$api/silences" | python3 -c 'import json, sys
for s in json.load(sys.stdin): print(s["status"]["state"], s["endsAt"], s["comment"], [(m["name"], m["value"]) for m in s["matchers"]])'
}
active() {
    [ "$(silences | grep -c '^active ')" -eq "$1" ]
}
passes() {
    drill run -e bare told >"$work/out" 2>"$work/err"
    local status=$?
    cat "$work/out" "$work/err"
    [ "$status" -eq 0 ]
}
check "plan says what is silent" bash -c "'$FAILDRILL' -C '$work' plan -e bare told | grep -q 'Silences  env=staging'"
check "an alert that fires in time passes, silenced as it is" passes
interval() {
    grep -qE 'told +detected +[0-9.]+(-[0-9.]+)? m?s' "$work/out" || {
        cat "$work/out"
        return 1
    }
}
check "with its interval" interval
expired() {
    silences | tee "$work/silences" | grep -q "^expired .*drill told.*env.*staging" && active 0
}
check "its silence is gone with the drill" expired
told_ids() {
    drill report last --format json -o - | grep -qE '[0-9a-f]{8}-[0-9a-f]{4}-.*alerts of this environment are silent'
}
check "whose id is in the report" told_ids
silent() {
    curl -sf "$api/alerts" | grep -qx '\[\]'
}
check "the alert is over" wait_for 400 silent

sed -e 's/^scenario: told/scenario: never/' -e 's/alert: ShopDown, labels: {env: staging}/alert: ShopGone/' \
    "$work/scenarios/told.yaml" >"$work/scenarios/never.yaml"
fails() {
    drill run -e bare never >"$work/out" 2>&1
    local status=$?
    cat "$work/out"
    [ "$status" -eq 1 ] && grep -qE 'told +detected +never fired' "$work/out"
}
check "an alert that never fires fails" fails
wait_for 400 silent

"$FAILDRILL" -C "$work" --no-input run -e bare told >"$work/out" 2>&1 &
runner=$!
check "while a drill goes on alerts are silent" wait_for 60 active 1
kill -9 "$runner"
wait "$runner" 2>/dev/null
ends_by_itself() {
    local end
    end=$(date -d "$(silences | awk '/^active/ { print $2 }')" +%s) || return 1
    [ $((end - $(date +%s))) -le 100 ]
}
check "one whose runner was killed ends by itself" ends_by_itself
check "undo" wait_for 60 drill undo

wait_for 400 silent
kill "$manager"
not_ready() {
    drill run -e bare told >"$work/out" 2>&1
    local status=$?
    cat "$work/out"
    [ "$status" -eq 3 ]
}
check "nobody to ask: NOT READY, nothing was done" not_ready

[ "$failed" -eq 0 ]
