#!/usr/bin/env bash
# pods_test.sh - a role of pods: found, killed and restarted by the real kubectl; as many ready at the end as before.
# SPDX-License-Identifier: Apache-2.0
# No cluster stands behind it: api.py answers kubectl as an API server would, and makes a new pod where one is missing.
# What a kubelet does (SIGKILL at once, SIGTERM first, probes that make a pod ready) is not shown here.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # what is quoted is for later
. "${BASH_SOURCE[0]%/*}/../lib.sh"

unpacked=$BUILD/kubectl # Debian's, where this machine has one of somebody else's, or none
kubectl_get() {
    [ ! -x "$unpacked/kubectl" ] || return 0
    mkdir -p "$unpacked/new" && (cd "$unpacked/new" && apt-get -qq download kubernetes-client && dpkg-deb -x ./*.deb .) \
        >"$unpacked/log" 2>&1 && mv "$unpacked/new/usr/bin/kubectl" "$unpacked/" && rm -rf "$unpacked/new"
}
kubectl_get || command -v kubectl >/dev/null || skip_all "no kubectl here, and Debian's kubernetes-client is not to be had"
[ ! -x "$unpacked/kubectl" ] || export PATH=$unpacked:$PATH
echo "    $(kubectl version --client --short 2>/dev/null | head -n 1)"

api=$work/api
project=$work/project
mkdir -p "$api" "$work/home" "$project/scenarios" "$project/environments"
export HOME=$work/home KUBECONFIG=$work/kubeconfig
python3 "$root/tests/pods/api.py" "$api" 3 400 >"$work/api.log" 2>&1 &
at_end kill "$!"
wait_for 20 test -s "$api/port" || skip_all "no API: $(tail -n 1 "$work/api.log")"
port=$(<"$api/port")
cat >"$KUBECONFIG" <<END
apiVersion: v1
kind: Config
clusters: [{name: here, cluster: {server: "http://127.0.0.1:$port"}}, {name: away, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: us, user: {}}]
contexts: [{name: staging, context: {cluster: here, user: us}}, {name: gone, context: {cluster: away, user: us}}]
END
echo 'project: pods' >"$project/faildrill.yaml"
faildrill=("$FAILDRILL" -C "$project" --state "$work/state" --no-input)

# environment CONTEXT SELECTOR [GATE]
environment() {
    cat >"$project/environments/here.yaml" <<END
environment: here
gate: {${3-}}
roles:
  billing: {pods: {context: $1, namespace: shop, selector: "$2"}}
END
}
# scenario STEP [UNDO [TARGET]]
scenario() {
    cat >"$project/scenarios/drill.yaml" <<END
scenario: drill
targets:
  victim: {role: billing, ${3:-pick: 1}}
probes:
  api: {tcp: "127.0.0.1:$port", every: 100ms}
steady: {for: 300ms}
hold: 300ms
observe: 300ms
settle: 60s
steps:
  - {$1}
halt:
  api: {max_outage: 60s}
expect:
  api: {max_outage: 60s}
undo: {lease: 9s, grace: 20s, ${2:-within: 30s}}
END
}
k() {
    kubectl --context=staging --namespace=shop "$@"
}
# pods SELECTOR: a line for each pod, its name, uid and whether it is ready.
pods() {
    k get pods --selector="$1" --output=go-template='{{range .items}}{{.metadata.name}} {{.metadata.uid}} {{range .status.conditions}}{{if eq .type "Ready"}}{{.status}}{{end}}{{end}}{{"\n"}}{{end}}' | sort
}
are_ready() {
    [ "$(pods app=billing | grep -c ' True$')" -eq "$1" ]
}
ends() {
    local want=$1 text=$2 got
    shift 2
    "${faildrill[@]}" "$@" >"$work/said" 2>&1
    got=$?
    cat "$work/said"
    [ "$got" -eq "$want" ] && grep -qE -- "$text" "$work/said" || {
        echo "exit $got, not $want; or it does not say: $text"
        return 1
    }
}
deleted() {
    grep -c '^DELETE ' "$api/requests"
}
# replaced COUNT: of those of before so many are others now.
replaced() {
    pods app=billing | cut -d' ' -f2 >"$work/now"
    [ "$(grep -vcxFf "$work/now" "$work/uids")" -eq "$1" ]
}
before() {
    wait_for 30 are_ready 3
    pods app=billing | cut -d' ' -f2 >"$work/uids"
    : >"$api/requests"
}
nothing_left() {
    ! compgen -G "$work/state/pods/*/*" && ends 0 '^nothing is left to undo$' undo
}

environment staging app=billing
before

# ---- what is known beforehand ----

scenario 'kill: victim'
check "plan: says which pod, and that nothing is undone" ends 0 'undo   nothing: its controller makes another one' plan -e here drill
check "plan: 1 of 3 pods" grep -qE 'billing-.*1 of 3' "$work/said"
check "plan: changes nothing" eval '[ "$(deleted)" = 0 ] && replaced 0'
check "doctor: each pod and its state" ends 0 'ready: drills may run here' doctor here

# ---- killed ----

before
check "kill: PASS" ends 0 PASS run -e here drill
check "kill: proven by its uid" grep -q 'kill proven' "$work/said"
check "kill: one pod is another one now" replaced 1
check "kill: as many are ready as before" are_ready 3
check "kill: the cluster was asked once, for one" eval '[ "$(deleted)" = 1 ]'
asked_for() {
    cat "$api/requests"
    local uid
    uid=$(grep -vxFf "$work/now" "$work/uids")
    grep -q "^DELETE /api/v1/namespaces/shop/pods/billing-[^ ]* {.*$1\"preconditions\":{\"uid\":\"$uid\"}}" "$api/requests"
}
check "kill: at once, and by its uid" asked_for '"gracePeriodSeconds":0,'
check "kill: nothing is left" nothing_left

before
scenario 'kill: victim' '' 'pick: 2'
environment staging app=billing 'blast_radius: {of_role: 67%}'
check "kill, two at once: PASS" ends 0 PASS run -e here drill
check "kill, two at once: two are others now" replaced 2
check "kill, two at once: nothing is left" nothing_left

before
environment staging app=billing
scenario 'restart: victim'
check "restart: PASS" ends 0 PASS run -e here drill
check "restart: one pod is another one now" replaced 1
check "restart: by its uid, with its own grace period" eval 'asked_for "\"v1\"," && ! grep gracePeriodSeconds "$api/requests"'
check "restart: nothing is left" nothing_left

# ---- who may not be touched ----

before
scenario 'kill: victim' '' 'pick: 2'
environment staging app=billing 'keep_healthy: {billing: 2}'
check "keep_healthy: counts pods" ends 4 'keep_healthy' run -e here drill
environment staging app=billing 'blast_radius: {hosts: 1}'
check "blast_radius: counts pods" ends 4 'blast_radius' run -e here drill
environment staging app=billing
scenario 'kill: victim' '' 'pick: 3'
check "never the last healthy one" ends 4 'billing' run -e here drill
scenario 'kill: victim, for: 5s'
check "kept down: refused with a sentence" ends 2 'cannot be kept down: its controller makes another' plan -e here drill
scenario 'freeze: victim, for: 5s'
check "freeze: refused with a sentence" ends 2 'is pods, which only their cluster reaches' validate -e here drill
scenario 'run: "true", target: victim'
check "run: refused, it would run here" ends 2 'is pods, which only their cluster reaches' validate -e here drill
scenario 'kill: victim' '' 'pick: 4'
check "more than there are: refused" ends 2 '4 hosts are picked, role .billing. has 3' plan -e here drill
scenario 'kill: victim'
environment staging app=nobody
check "no pods: refused, and says whom it looked for" ends 3 "role 'billing' has no pods" plan -e here drill
environment gone app=billing
check "no cluster: said in kubectl's words" ends 3 'kubectl: .*refused' plan -e here drill
check "no cluster: a scan is not clean" ends 6 'unknown  role billing' undo --scan -e here
environment unheard app=billing
check "no such context: said in kubectl's words" ends 3 'context.*unheard' plan -e here drill
check "refused: nothing was asked to go" eval '[ "$(deleted)" = 0 ] && replaced 0'

curl -s -X POST "http://127.0.0.1:$port/pods/none/alone-1/alone" -o /dev/null
curl -s -X POST "http://127.0.0.1:$port/pods/none/alone-2/alone" -o /dev/null
wait_for 20 eval '[ "$(pods app=alone | grep -c True)" = 2 ]'
environment staging app=alone
check "without a controller: refused" ends 2 'has no controller' plan -e here drill
curl -s -X POST "http://127.0.0.1:$port/pods/StatefulSet/store-0/store" -o /dev/null
curl -s -X POST "http://127.0.0.1:$port/pods/StatefulSet/store-1/store" -o /dev/null
wait_for 20 eval '[ "$(pods app=store | grep -c True)" = 2 ]'
environment staging app=store
check "of a StatefulSet: not killed, there might be two of it" ends 2 'might be two of it' plan -e here drill

# ---- between plan and apply ----

environment staging app=billing
before
changed_meanwhile() {
    ends 0 'Next: faildrill run' plan -e here drill -o "$work/plan.txt" || return 1
    local victim
    victim=$(sed -n 's/^     on \(billing-[^ ]*\) .*/\1/p' "$work/said" | head -n 1)
    k delete pod "$victim" --wait=false --grace-period=0 --force >/dev/null 2>&1
    wait_for 30 are_ready 3 || return 1
    : >"$api/requests"
    "${faildrill[@]}" run "$work/plan.txt" >"$work/said" 2>&1
    local got=$?
    cat "$work/said"
    echo "exit $got"
    { [ "$got" -eq 3 ] || [ "$got" -eq 4 ]; } && [ "$(deleted)" = 0 ]
}
check "a pod that went since the plan: refused, nobody else is taken" changed_meanwhile
check "a pod that went since the plan: nothing is left" nothing_left

# pods VERB UID: as a fault's folder has it.
pods_script() {
    mkdir -p "$work/folder"
    cat "$root"/runner/transports/{node,family,pods}.sh >"$work/folder/pods"
    echo 'pods "$@"' >>"$work/folder/pods"
    (cd "$work/folder" && FD_DIR=$PWD sh pods "$1" staging shop app=billing "$name" "$2" 3)
}
# Between our look and the deletion it became another one by that name: the API refuses by the uid.
another_by_name() {
    read -r name uid _ < <(pods app=billing)
    sed -i 's/^pods_delete() {$/&\n    pods_look_or_end() { :; }; pods_serves() { row="x 0."; }/' "$work/folder/pods"
    (cd "$work/folder" && FD_DIR=$PWD sh pods kill staging shop app=billing "$name" 00000000-0000-0000-0000-000000000000 3) && return 1
    pods app=billing | grep -q "^$name $uid " && [ ! -e "$work/folder/sent" ]
}
name=nobody
check "one that is not there: refused" eval '! pods_script kill 00000000-0000-0000-0000-000000000000'
check "another one by its name: the API refuses by the uid" another_by_name

# ---- what goes wrong ----

before
touch "$api/stuck"
scenario 'kill: victim' 'within: 4s'
check "no new pod is ready: NOT UNDONE, says how many are" ends 6 '2 of 3 pods are ready' run -e here drill
check "no new pod is ready: says how, here" grep -qE "sh $work/state/pods/here/undo" "$work/said"
check "no new pod is ready: a scan says where it is ended" ends 6 "FOUND    billing-.*; to end it, on this machine: sh $work/state/pods/here/undo" undo --scan -e here
environment gone app=billing
check "no new pod is ready: a scan without the cluster as well" ends 6 "FOUND    this machine: folder .*; to end it, on this machine: sh $work/state/pods/here/undo" undo --scan -e here
environment staging app=billing
rm "$api/stuck"
check "no new pod is ready: undo, once it is" wait_for 60 eval 'are_ready 3 && "${faildrill[@]}" undo'
check "no new pod is ready: nothing is left" nothing_left

before
touch "$api/lost"
scenario 'kill: victim'
check "no answer to the deletion: INCONCLUSIVE, not PASS" ends 7 INCONCLUSIVE run -e here drill
rm "$api/lost"
check "no answer to the deletion: nothing is left" wait_for 60 eval '"${faildrill[@]}" undo >/dev/null; nothing_left'

orphaned() {
    touch "$api/stuck"
    "${faildrill[@]}" run -e here drill >"$work/said" 2>&1 &
    local runner=$!
    wait_for 60 grep -q 'kill proven' "$work/said" || { cat "$work/said"; return 1; }
    kill -9 "$runner"
    wait "$runner" 2>/dev/null
    rm "$api/stuck"
    wait_for 60 eval '! compgen -G "$work/state/pods/here/*_1"'
}
before
check "runner killed: its guard here sees them ready, and goes" orphaned
check "runner killed: undo agrees" wait_for 60 eval '"${faildrill[@]}" undo >/dev/null; nothing_left'
check "runner killed: as many are ready as before" wait_for 20 are_ready 3
check "scan: clean" ends 0 '^clean    billing-' undo --scan -e here
