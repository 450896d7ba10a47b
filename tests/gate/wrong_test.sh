#!/usr/bin/env bash
# wrong_test.sh - wrong hosts, names, times and switches by real ssh: nothing reaches a host but the look at who it is.
# SPDX-License-Identifier: Apache-2.0
# What reached a host is what its login shell wrote down there, never the runner's word.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # what is quoted is for the host
. "${BASH_SOURCE[0]%/*}/../lib.sh"
[ "$EUID" -eq 0 ] || skip_all "login shells of hosts want root"
in_lab bare:3
# shellcheck source=tests/gate/wrong.sh
. "${BASH_SOURCE[0]%/*}/wrong.sh"

part "host keys"
other=$(ssh-keygen -lf "$work/keys/eve.pub" | cut -d' ' -f2)
for host in "${hosts[@]}"; do
    mine=$(key_of "$host")
    environment '{}' "${good/"$mine"/$other}"
    wrong "$host has another key" 'host key'
    for at in 8 20 40; do # one character of the fingerprint
        letter=${mine:at:1}
        [ "$letter" = A ] && letter=B || letter=A
        environment '{}' "${good/"$mine"/${mine:0:at}$letter${mine:at+1}}"
        wrong "$host: character $at" 'host key'
    done
done
environment '{}' "$(printf '%s' "$good" | sed "s|$(key_of bare-1)|X|; s|$(key_of bare-2)|$(key_of bare-1)|; s|\"X\"|\"$(key_of bare-2)\"|")"
wrong "two keys are swapped" 'host key'
unpinned=$(printf '%s' "$good" | sed 's/, host_key: "[^"]*"//g')
known=$LAB_STATE/known_hosts
cp "$known" "$work/known"
for how in '' "s/^\(bare-1,[^ ]*\) .*/\1 $(cut -d' ' -f1-2 "$work/keys/eve.pub" | sed 's/[\/&]/\\&/g')/" 's/^bare-1,/@revoked bare-1,/' '/^bare-1,/d'; do
    if [ -z "$how" ]; then : >"$known"; else sed "$how" "$work/known" >"$known"; fi
    environment '{}' "$unpinned"
    wrong "known_hosts: ${how:-empty}" bare-
done
cp "$work/known" "$known"

part "machine ids"
everybody='{role: idle, pick: all}'
keep_none='{keep_healthy: {idle: 0}}'
scenario '- {freeze: victim, for: 1s}' "$everybody"
for host in "${hosts[@]}"; do
    mine=$(id_of "$host")
    for at in 0 31 63; do
        letter=${mine:at:1}
        [ "$letter" = a ] && letter=b || letter=a
        environment "$keep_none" "${good/"$mine"/${mine:0:at}$letter${mine:at+1}}"
        wrong "$host: digit $at" "'$host' is not the machine that"
    done
done
environment "$keep_none" "$(printf '%s' "$good" | sed "s|$(id_of bare-1)|X|; s|$(id_of bare-2)|$(id_of bare-1)|; s|\"X\"|\"$(id_of bare-2)\"|")"
wrong "two ids are swapped" 'is not the machine that'
for host in "${hosts[@]}"; do
    environment "$keep_none"
    "$lab" exec "$host" mv /etc/machine-id /etc/machine-id.away
    wrong "$host has none" "'$host' is not the machine that"
    "$lab" exec "$host" sh -c 'echo 0123456789abcdef0123456789abcdef >/etc/machine-id'
    wrong "$host was set up anew" "'$host' is not the machine that"
    "$lab" exec "$host" mv /etc/machine-id.away /etc/machine-id
done

part "swapped names and addresses"
scenario '- {freeze: victim, for: 1s}' "$everybody"
for pair in '1 2' '2 3' '1 3'; do
    read -r a b <<<"$pair"
    one=$(address_of "bare-$a") two=$(address_of "bare-$b")
    sed "s/HostName $one\$/HostName X/; s/HostName $two\$/HostName $one/; s/HostName X\$/HostName $two/" "$LAB_STATE/ssh_config" >"$work/ssh_config"
    environment "$keep_none"
    wrong "ssh_config: $pair" 'host key'
    environment "$keep_none" "$unpinned"
    wrong "ssh_config: $pair, by known_hosts" bare-
    environment "$keep_none" "$(printf '%s' "$good" | sed 's/, host_key: "[^"]*"//g')"
    wrong "and by machine ids" bare-
done
cp "$LAB_STATE/ssh_config" "$work/ssh_config"

part "typos"
for name in stagin her Here HERE here2 hre here.yml ../here production; do
    wrong "environment $name" '' run -e "$name" --seed 1 drill
done
wrong "no environment" 'no environment was named' run --seed 1 drill
for name in dril Drill drill2 scenarios ../drill drill.yml; do
    wrong "scenario $name" '' run -e here --seed 1 "$name"
done
for role in idel Idle api idle2 '"idle "' '""' idles; do
    scenario '- {freeze: victim, for: 1s}' "{role: $role}"
    wrong "role $role" ''
done
for target in victm victims Victim idle '""' '[victim, victm]'; do
    scenario "- {freeze: $target, for: 1s}"
    wrong "target $target" ''
done
scenario
for key in 'protectd: true' 'Gate: {}' 'role: {}' 'environments: x' 'lock: bare-9' 'lock: bare1'; do
    environment '{}' "$good" "$key"
    wrong "key $key" ''
done
for gate in '{window: [Mon 10:00-11:00]}' '{freezes: 2026-01-01}' '{forbid: {host: [bare-1]}}' '{forbid: {hosts: [bare-9]}}' \
    '{forbid: {faults: [frezee]}}' '{keep_healthy: {idel: 1}}' '{blast_radius: {host: 1}}' '{longest_fault: 5}' '{max_per_day: many}' \
    '{windows: [Monday 10:00-11:00]}' '{freeze: 2026-13-01}' '{approval: {need: 1}}' '{passed_in: {environment: here}}' '{node_optin: true}'; do
    environment "$gate"
    wrong "gate $gate" ''
done

part "nobody, or too many"
for target in '{role: idle, pick: 4}' '{role: idle, pick: 10%}' '{role: idle, pick: 0}' '{role: idle, zone: a}' '{role: idle, is: primary}' \
    '{role: idle, pick: -1}' '{role: idle, pick: 101%}' '{role: idle, pick: 500}' '{role: idle, not: victim}' '{role: idle, pick: some}'; do
    scenario '- {freeze: victim, for: 1s}' "$target"
    wrong "$target" ''
done
scenario '- {freeze: victim, for: 1s}' '{role: none, pick: 1}'
environment '{}' "$good" '' '  none: {hosts: {}}'
wrong "a role without hosts" ''
for gate in '{blast_radius: {hosts: 1}}' '{blast_radius: {of_role: 34%}}' '{keep_healthy: {idle: 2}}' '{blast_radius: {hosts: 1}, keep_healthy: {idle: 2}}' \
    '{blast_radius: {of_role: 50%}}' '{blast_radius: {hosts: 1, of_role: 100%}}'; do
    environment "$gate"
    scenario '- {freeze: victim, for: 1s}' '{role: idle, pick: 2}'
    wrong "$gate" ''
    scenario '- {freeze: victim, for: 1s}' "$everybody"
    wrong "$gate, all" ''
done
environment '{keep_healthy: {idle: 1}}'
wrong "nobody would be left" 'keep_healthy'
environment
scenario '- {freeze: [victim, second], for: 1s}' '{role: idle, pick: 2}'
wrong "two targets that are not there" ''

part "who else is on the machine"
for gate in '{}' '{keep_healthy: {web: 1}}' '{blast_radius: {of_role: 50%}}' '{blast_radius: {of_role: 99%}}' '{keep_healthy: {web: 1, idle: 1}}'; do
    scenario '- {isolate: victim, for: 1s}'
    environment "$gate" "bare-1: {address: $(address_of bare-1)}" '' "  web: {hosts: [bare-1]}"
    wrong "the last of another role: $gate" ''
    scenario '- {freeze: victim, for: 1s}'
    wrong "frozen: $gate" ''
done
for gate in '{blast_radius: {of_role: 50%}}' '{keep_healthy: {web: 1}}' '{keep_healthy: {web: 2}}'; do
    environment "$gate" "$good" '' "  web: {hosts: {web-1: {address: $(address_of bare-1), reach: local}}}"
    scenario '- {freeze: victim, for: 1s}' "$everybody"
    wrong "by its address: $gate" ''
done
scenario
environment '{forbid: {hosts: [bare-1, bare-2, bare-3]}}'
wrong "hosts that are forbidden" ''
for gate in '{forbid: {faults: [freeze]}}' '{forbid: {classes: [R, S]}}' '{longest_fault: 5s}' '{longest_fault: 10s}'; do
    environment "$gate"
    wrong "$gate" ''
done

part "windows"
day() {
    LC_ALL=C date -u -d "$1" +%a
}
hour() {
    date -u -d "$1" +%H:%M
}
for ahead in 2 3 4 5; do
    environment "{windows: ['$(day "+$ahead days") 10:00-11:00']}"
    wrong "in $ahead days" 'windows: closed'
    environment "{windows: ['$(day "+$ahead days")..$(day "+$((ahead + 1)) days") 00:00-24:00']}"
    wrong "whole days, in $ahead" 'windows: closed'
done
for minutes in 10 30 90 300; do
    environment "{windows: ['$(hour "+$minutes minutes")-$(hour "+$((minutes + 5)) minutes")']}"
    wrong "in $minutes minutes" 'windows: closed'
    environment "{windows: ['$(hour "-$((minutes + 15)) minutes")-$(hour "-$minutes minutes")']}"
    wrong "$minutes minutes ago" 'windows: closed'
done
scenario '- {freeze: victim, for: 20m}'
for minutes in 2 5 15; do
    environment "{windows: ['$(hour '-5 minutes')-$(hour "+$minutes minutes")']}"
    wrong "it closes in $minutes minutes" 'windows: closes'
done
scenario

# Clocks that jumped ten minutes ago, in zones made for this hour: what is skipped is never open, and
# what comes twice is open only while the clock shows it.
part "clocks that jump"
if command -v zic >/dev/null; then
    jump=$(date -u -d '-10 minutes' '+%Y %b %-d %H:%Mu')
    printf 'Zone Test/Gap 0:00 - AAA %s\n 1:00 - BBB\nZone Test/Twice 1:00 - AAA %s\n 0:00 - BBB\n' "$jump" "$jump" >"$work/zones"
    mkdir "$work/zoneinfo"
    cp -r /usr/share/zoneinfo/UTC "$work/zoneinfo/"
    zic -d "$work/zoneinfo" "$work/zones"
    program=$FAILDRILL
    printf '#!/bin/sh\nexec unshare --mount sh -c '\''mount --bind "$0" /usr/share/zoneinfo && exec "$@"'\'' "%s" "%s" "$@"\n' "$work/zoneinfo" "$program" >"$work/program"
    chmod +x "$work/program"
    FAILDRILL=$work/program
    for from in -8 -5 0 10 20 30; do
        environment "{windows: ['$(hour "$from minutes")-$(hour "$((from + 15)) minutes")']}"
        sed -i 's/^timezone: .*/timezone: Test\/Gap/' "$project/environments/here.yaml"
        wrong "in the gap, $from" 'windows: closed'
    done
    for from in 5 10 20 30 40; do
        environment "{windows: ['$(hour "$from minutes")-$(hour "$((from + 8)) minutes")']}"
        sed -i 's/^timezone: .*/timezone: Test\/Twice/' "$project/environments/here.yaml"
        wrong "the first of two, $from" 'windows: closed'
    done
    environment "{windows: ['$(hour '-5 minutes')-$(hour '+30 minutes')']}"
    sed -i 's/^timezone: .*/timezone: Test\/Twice/' "$project/environments/here.yaml"
    drill plan --ascii -e here --seed 1 drill >"$work/said" 2>&1 || {
        bad=$((bad + 1))
        echo "what is open twice is not open now" | tee -a "$work/bad" >&2
    }
    FAILDRILL=$program
fi

part "freezes"
for days in "$(date -u +%F)" "$(date -u -d -3days +%F)..$(date -u +%F)" "$(date -u +%F)..$(date -u -d +3days +%F)" "2020-01-01..2099-12-31"; do
    environment "{freeze: $days}"
    wrong "$days" 'freeze: no drills'
done
switch=$work/switch
environment "{freeze_switch: $switch}"
wrong "no switch" 'freeze_switch'
for text in on 'off ish' no false '' 0 'off on' oof; do
    printf %s "$text" >"$switch"
    wrong "switch: '$text'" 'freeze_switch'
done
rm "$switch"
mkdir "$switch"
wrong "a folder" 'freeze_switch'
rmdir "$switch"
mkfifo "$switch"
wrong "a pipe" 'freeze_switch'
rm "$switch"
cat >"$work/serve" <<'END'
import http.server, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status, _, body = open(sys.argv[1]).read().partition(' ')
        self.send_response(int(status))
        self.send_header('Location', '/elsewhere')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Page)
print(server.server_port, flush=True)
server.serve_forever()
END
echo '200 off' >"$work/page"
python3 "$work/serve" "$work/page" >"$work/port" &
page=$!
end_page() {
    kill "$page" 2>/dev/null && wait "$page"
}
at_end end_page
wait_for 60 test -s "$work/port"
url=http://127.0.0.1:$(cat "$work/port")/
environment "{freeze_switch: \"$url\"}"
for answer in '200 on' '200 ' '404 off' '500 off' '302 off' '200 {"frozen": false}' '401 off' '503 '; do
    printf %s "$answer" >"$work/page"
    wrong "page: $answer" 'freeze_switch'
done
environment '{freeze_switch: "http://127.0.0.1:1/"}'
wrong "nobody answers" 'freeze_switch'

part "incidents"
environment "{only_if: {no_incident: {http: \"$url\", every: 200ms, ok: {body: \"[]\"}}}}"
for answer in '200 [1]' '200 [{"id": 7}]' '200 ' '500 [1]' '404 not found' '302 ' '503 ' '200 null'; do
    printf %s "$answer" >"$work/page"
    wrong "page: $answer" 'only_if: no_incident'
done
environment '{only_if: {no_incident: {http: "http://127.0.0.1:1/", every: 200ms}}}'
wrong "nobody answers" 'only_if: no_incident'
environment '{only_if: {no_incident: {tcp: "127.0.0.1:1", every: 200ms}}}'
wrong "no port" 'only_if: no_incident'

part "the host's own word"
allow() { # TEXT [HOST]
    "$lab" exec "${2:-bare-1}" sh -c 'rm -rf /etc/faildrill.allow; printf "%s\n" "$0" >/etc/faildrill.allow; chmod 644 /etc/faildrill.allow' "$1"
}
scenario '- {freeze: victim, for: 1s}' "$everybody"
environment '{node_opt_in: true, keep_healthy: {idle: 0}}'
fine=$'environment here\nkinds freeze kill\nlongest 60s'
allow "$fine" bare-2
allow "$fine" bare-3
wrong "no file" 'bare-1: there is no /etc/faildrill.allow'
for text in $'environment staging\nkinds freeze\nlongest 60s' $'environment heres\nkinds freeze\nlongest 60s' $'environment here\nkinds kill\nlongest 60s' \
    $'environment here\nkinds unfreeze\nlongest 60s' $'environment here\nkinds freeze\nlongest 5s' $'environment here\nkinds freeze' \
    $'environment here\nkinds freeze\nlongest 60' $'environment here\nkinds freeze\nlongest ever' '' $'environment here\nkind freeze\nlongest 60s' \
    $'environment here\nkinds # freeze\nlongest 60s' $'{environment: here}' $'environment here\nkinds freeze\nlongest 9999999999999999999s'; do
    allow "$text"
    wrong "$(printf '%q' "$text")" 'node_opt_in: bare-1'
done
allow "$fine"
for how in 'chmod 664 F' 'chmod 646 F' 'chown 65534 F' 'mv F F.real && ln -s F.real F' 'rm F && mkdir F' 'rm F && mkfifo F'; do
    "$lab" exec bare-1 sh -c "${how//F//etc/faildrill.allow}"
    wrong "$how" 'node_opt_in: bare-1'
    allow "$fine"
done

# Plain work is a command of ours too.
scenario '- {run: "touch /run/worked", target: victim}' "$everybody"
wrong "plain work that its file does not name" 'its file does not allow run'
scenario '- {freeze: victim, for: 1s}' "$everybody"

part "names that are typed"
environment '{}' "$good" 'protected: true'
wrong "nobody typed it" 'type the name'
for name in Here HERE her heree production '' ' here' yes y; do
    wrong "'$name'" "'$name' is not here" run -e here --seed 1 --confirm "$name" drill
done
sed -i '/^halt:/,/max_outage/d' "$project/scenarios/drill.yaml"
wrong "no halt rule where it is protected" '' run -e here --seed 1 --confirm here drill

part "rules that would loosen, and overrides"
environment "{longest_fault: 20s, max_per_day: 2, blast_radius: {hosts: 1, of_role: 34%}, keep_healthy: {idle: 2}, forbid: {faults: [crash]}, windows: ['$(day '+3 days') 10:00-11:00']}"
for rule in 'longest_fault: 21s' 'max_per_day: 3' 'blast_radius: {hosts: 2}' 'blast_radius: {of_role: 35%}' 'keep_healthy: {idle: 1}' 'keep_healthy: {idle: 0}' \
    'passed_in: {environment: staging}' 'from_git: main' 'approvals: {from: x}' 'freeze_switch: /x' 'only_if: {}' 'node_opt_in: false' 'protected: false' 'longest_fault: x'; do
    wrong "--gate $rule" '' run -e here --seed 1 --gate "$rule" drill
    scenario '' '' "gate: {$rule}"
    wrong "scenario: $rule" ''
    scenario
done
for rule in protected from_git approvals blast_radius keep_healthy longest_fault forbid only_if freeze_switch node_opt_in lock identity guard window all ''; do
    wrong "--override $rule" '' run -e here --seed 1 --override "$rule" --reason 'a reason that is long enough' drill
done
wrong "no reason" 'needs a reason' run -e here --seed 1 --override windows drill
wrong "a short one" 'needs a reason' run -e here --seed 1 --override windows --reason now drill
wrong "a rule that is not there" 'no such rule' run -e here --seed 1 --override freeze --reason 'a reason that is long enough' drill
wrong "a reason for nothing" '--reason' run -e here --seed 1 --reason 'a reason that is long enough' drill

ended 200
