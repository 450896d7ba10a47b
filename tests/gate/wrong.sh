# wrong.sh - hosts whose login shells write down what reaches them, and a table of wrong environments.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034 # what is quoted is for the host
# Sourced behind lib.sh, in a lab of bare:3: part NAME, environment, scenario, wrong NAME TEXT [ARGUMENT...], ended LEAST.
cases=0 bad=0 section=
address_of() {
    cat "$LAB_STATE/hosts/$1/address"
}
key_of() {
    ssh-keygen -lf <(cut -d' ' -f1-2 "$LAB_STATE/hosts/$1/host_key") | cut -d' ' -f2
}
id_of() {
    "$lab" exec "$1" sha256sum /etc/machine-id | cut -d' ' -f1
}
hosts=(bare-1 bare-2 bare-3)
# Each command and what it reads leave files on the host itself.
for host in "${hosts[@]}"; do
    "$lab" exec "$host" sh -c 'mkdir -p /var/log/fd
        printf "%s\n" "$0" >/etc/machine-id
        cat >/etc/logsh <<"END"
#!/bin/bash
n=/var/log/fd/$(date +%s%N).$$
printf "%s\n" "$2" >"$n.command"
exec /bin/sh "$@" < <(tee "$n.read" 2>/dev/null)
END
        chmod 755 /etc/logsh
        sed -i "s|^\(root:.*:\)[^:]*$|\1/etc/logsh|" /etc/passwd' "$(printf %032d "${host#bare-}")"
done
# The last word of each script, but for those that only look.
reached() {
    local host
    for host in "${hosts[@]}"; do
        "$lab" exec "$host" sh -c 'cd /var/log/fd && cat -- *.read 2>/dev/null | grep -B1 -x "echo fd:end" |
            grep -vxE "echo fd:end|--|facts|names|serves|delays"; cat -- *.command 2>/dev/null | grep -vE "^sh -c|^[a-z0-9 ]*s=|^$|fd:|eval|esac"
            ls -A /run/faildrill 2>/dev/null'
    done
}

project=$work/project
mkdir -p "$project/scenarios" "$project/environments" "$project/receipts" "$work/keys"
echo 'project: wrong' >"$project/faildrill.yaml"
cp "$LAB_STATE/ssh_config" "$work/ssh_config"
for key in raj eve operator box; do
    ssh-keygen -q -t ed25519 -N '' -C "$key" -f "$work/keys/$key"
done
{
    echo "raj@example.net $(cat "$work/keys/raj.pub")"
    echo "$(id -un)@example.net $(cat "$work/keys/operator.pub")"
} >"$project/approvers.signers"
echo "staging_box $(cat "$work/keys/box.pub")" >"$project/box.signers"
good_hosts() {
    local host
    for host in "${hosts[@]}"; do
        printf '%s: {address: %s, host_key: "%s", machine_id: "%s"}, ' "$host" "$(address_of "$host")" "$(key_of "$host")" "$(id_of "$host")"
    done
}
good=$(good_hosts)
service='service: {pidfile: /run/idle.pid, start: "/etc/init.d/idle start", stop: "/etc/init.d/idle stop"}'
# environment [GATE [HOSTS [MORE [ROLES]]]]
environment() {
    local none='{}'
    cat >"$project/environments/here.yaml" <<END
environment: here
timezone: UTC
ssh: {config: $work/ssh_config}
roles:
  idle:
    hosts: {${2:-$good}}
    $service
${4:-}
gate: ${1:-$none}
${3:-}
END
}
# scenario [STEPS [TARGET [MORE]]]
scenario() {
    local one='{role: idle, pick: 1}' freeze='- {freeze: victim, for: 1s}'
    cat >"$project/scenarios/drill.yaml" <<END
scenario: drill
targets:
  victim: ${2:-$one}
probes:
  ssh: {tcp: "$(address_of bare-3):22", every: 100ms, timeout: 500ms}
steady: {for: 300ms}
hold: 300ms
observe: 300ms
settle: 20s
steps:
  ${1:-$freeze}
halt:
  ssh: {max_outage: 20s}
expect:
  ssh: {max_outage: 20s}
undo: {lease: 10s, grace: 10s}
${3:-}
END
}
drill() {
    "$FAILDRILL" -C "$project" --no-input "$@" </dev/null
}
part() {
    [ -z "$section" ] || printf '%5d after: %s\n' "$cases" "$section" >&2
    section=$1
    environment
    scenario
}
# wrong NAME TEXT [ARGUMENT...]: refused with 2, 3 or 4 and this text; `run -e here --seed 1 drill` where none is given.
wrong() {
    local name=$1 text=$2 status
    shift 2
    [ $# -gt 0 ] || set -- run -e here --seed 1 drill
    cases=$((cases + 1))
    drill "$@" >"$work/said" 2>&1
    status=$?
    case $status in 2 | 3 | 4) grep -qF -- "$text" "$work/said" && return ;; esac
    bad=$((bad + 1))
    printf 'case %d, %s, %s: exit %s, and not: %s\n' "$cases" "$section" "$name" "$status" "$text" | tee -a "$work/bad" >&2
    sed 's/^/    /' "$work/said" | head -8 >&2
}

ended() {
    part end
    check "$cases wrong environments, each refused by its name" test "$bad" -eq 0 -a "$cases" -ge "$1"
    [ ! -s "$work/bad" ] || cat "$work/bad"
    reached >"$work/reached"
    check "what reached the hosts was a look at who they are, and nothing else" test ! -s "$work/reached"
    cat "$work/reached"
    # The same eyes see a drill.
    environment
    scenario
    check "a right one runs" drill run -e here --seed 1 drill
    reached >"$work/reached"
    check "and is seen on its host" grep -x arm "$work/reached"
}
