#!/usr/bin/env bash
# aws_test.sh - a request signed for AWS, asked of a stand-in for RDS on loopback that checks each signature by itself.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"

stand_in() {
    python3 "$root/tests/system/rds_stand_in.py" "$@" &
    at_end kill $!
    wait_for 10 test -s "$1" || skip_all "there is no loopback to listen on"
}
check "the stand-in's own signatures are those of the published vectors" python3 "$root/tests/system/rds_stand_in.py" vectors
stand_in "$work/port"
stand_in "$work/port_ahead" 3600
stand_in "$work/port_mute" 0 mute
stand_in "$work/port_idle" 0 idle
port=$(<"$work/port") there=$port

mkdir "$work/scenarios" "$work/environments"
echo 'project: aws' >"$work/faildrill.yaml"
# environment [PORT]: the stand-in there.
environment() {
    there=${1-$port}
    cat >"$work/environments/here.yaml" <<END
environment: here
roles:
  database:
    hosts: {db-1: {address: 127.0.0.1, reach: local}, db-2: {address: 127.0.0.2, reach: local}}
    http: {primary: "http://127.0.0.1:$there/primary/\${host.name}"}
endpoints: {rds: "http://127.0.0.1:$there", shop: "http://127.0.0.1:$there"}
secrets: {key_id: {env: AWS_ACCESS_KEY_ID}, key: {env: AWS_SECRET_ACCESS_KEY}, token: {env: AWS_SESSION_TOKEN}}
END
}
# scenario [KEY=TEXT...]
scenario() {
    local cluster=shop token='' halt='' most=5s
    [ $# -eq 0 ] || local "$@"
    cat >"$work/scenarios/failover.yaml" <<END
scenario: failover
probes:
  shop: {http: "\${endpoint.shop}/ping", every: 50ms}
steady: {for: 200ms}
observe: 100ms
hold: 200ms
steps:
  - http: "\${endpoint.rds}/"
    method: POST
    headers: {Content-Type: application/x-www-form-urlencoded}
    body: "Action=FailoverDBCluster&DBClusterIdentifier=$cluster&Version=2014-10-31"
    aws_sigv4: {region: eu-west-1, service: rds, access_key_id: "\${secret.key_id}", secret_access_key: "\${secret.key}"$token}
  - wait: 2s
  - http: "\${endpoint.rds}/"
    method: POST
    headers: {Content-Type: application/x-www-form-urlencoded}
    body: "Action=DescribeEvents&Duration=1&SourceIdentifier=$cluster&SourceType=db-cluster&Version=2014-10-31"
    aws_sigv4: {region: eu-west-1, service: rds, access_key_id: "\${secret.key_id}", secret_access_key: "\${secret.key}"$token}
    ok: {body: Completed failover}
$halt
expect:
  shop: {max_outage: $most}
END
}
export AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY AWS_SESSION_TOKEN=none-of-it
# drill STATUS WORDS [OLD NEW]: it ends so and says so; the cluster failed over that often before and after.
drill() {
    local got=0 wanted=$1 words=$2 before after
    before=$(failovers)
    "$FAILDRILL" -C "$work" run -e here failover --no-input >"$work/said" 2>&1 || got=$?
    after=$(failovers)
    cat "$work/said"
    cat "$work/said" >>"$work/all"
    [ "$got" = "$wanted" ] && [ $((after - before)) = "$3" ] && grep -qF -- "$words" "$work/said"
}
failovers() {
    python3 -c 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())' "http://127.0.0.1:$there/failovers"
}
outage_is_there() {
    "$FAILDRILL" -C "$work" report last --format json -o "$work/report.json" >/dev/null 2>&1
    python3 -c 'import json, sys
spans = json.load(open(sys.argv[1]))["probes"][0]["stretches"]
sys.exit(len(spans) == 0)' "$work/report.json"
}
environment
scenario
shows() {
    "$FAILDRILL" -C "$work" plan -e here failover >"$work/plan" 2>&1
    tee -a "$work/all" <"$work/plan"
    grep -qF "this machine sends POST http://127.0.0.1:$port/, once; it is not undone" "$work/plan" &&
        grep -qF 'signed for rds in eu-west-1' "$work/plan"
}
check "the plan says that the request leaves this machine, and that nothing undoes it" shows
check "a request that is signed right fails the cluster over" drill 0 'PASS' 1
check "clients saw it" outage_is_there

scenario most=100ms halt='halt: {shop: {max_outage: 200ms}}'
check "its halt acts" drill 5 'halted by rule: shop.max_outage' 1
scenario
environment "$(<"$work/port_mute")"
check "an answer that is lost: nobody says that nothing was done" drill 7 'it was sent, and what AWS did is not known' 1
is_back() {
    outage_is_there && grep -qE 'state +SETTLING' "$work/said" && python3 -c 'import json, sys
print(spans := json.load(open(sys.argv[1]))["probes"][0]["stretches"])
sys.exit(spans[-1]["first_good_ended_at_ns"] is None)' "$work/report.json"
}
check "and that the shop is back is awaited" is_back
environment "$(<"$work/port_idle")"
check "accepted, and nothing failed over: no pass" drill 7 'answered 200: <DescribeEventsResponse' 0
environment

scenario cluster=other
check "another cluster: its code is said, and nothing is done" drill 7 'answered 404: DBClusterNotFoundFault: DBCluster not found' 0
scenario
AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEX \
    check "a wrong key: its code is said, and nothing is done" drill 7 'answered 403: SignatureDoesNotMatch: the signature' 0
check "what AWS says is shown without its control characters" eval '! grep -q "$(printf "\033\\[31m")" "$work/said"'
AWS_ACCESS_KEY_ID=AKIDNOBODY check "an id that nobody has" drill 7 'answered 403: InvalidClientTokenId' 0
environment "$(<"$work/port_ahead")"
check "a clock that is an hour off" drill 7 'answered 400: RequestExpired' 0

environment
export AWS_ACCESS_KEY_ID=ASIATEMPORARY AWS_SECRET_ACCESS_KEY=temporary/key+of=somebody
AWS_SESSION_TOKEN=$(printf 't%.0s' {1..1200})/+==
check "a temporary key without its token" drill 7 'answered 403: InvalidClientTokenId' 0
scenario token=', session_token: "${secret.token}"'
check "a temporary key: its token is sent and signed" drill 0 'PASS' 1
AWS_SESSION_TOKEN=another-one check "the token of another" drill 7 'answered 403: InvalidClientTokenId' 0

nowhere() {
    local kept=("$work/all" "$work/report.json" "$work/.faildrill") status=0
    grep -raFq DescribeEvents "${kept[@]}" || return 1
    grep -raFl -e wJalrXUtn -e temporary/key -e temporary%2Fkey -e tttttttttttttttt -e another-one "${kept[@]}" || status=$?
    [ "$status" = 1 ]
}
check "no key and no token is in what was said or kept" nowhere
