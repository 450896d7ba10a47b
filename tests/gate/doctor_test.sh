#!/usr/bin/env bash
# doctor_test.sh - what `doctor` prints is taken: pins, playbook, and the look of a timer.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
[ "$EUID" -eq 0 ] || skip_all "keys of hosts want root"
in_lab bare:2
# shellcheck source=tests/project.sh
. "$root/tests/project.sh"

file=$work/project/environments/here.yaml
mkdir -p "$work/project/environments"
echo 'project: doctor' >"$work/project/faildrill.yaml"
sed "s|UserKnownHostsFile .*|UserKnownHostsFile $work/known|" "$LAB_STATE/ssh_config" >"$work/ssh_config"
: >"$work/known"
environment() {
    cat >"$file" <<END
environment: here # first
ssh: {config: $work/ssh_config}
roles:
  idle: # second
    hosts: [bare-1, bare-2] # third
    service: {pidfile: /run/idle.pid, start: "/etc/init.d/idle start", stop: "/etc/init.d/idle stop"}
${1:-}
END
}
doctor() {
    "$FAILDRILL" -C "$work/project" --no-input doctor here "$@" </dev/null
}
key_of() {
    ssh-keygen -lf <(cut -d' ' -f1-2 "$LAB_STATE/hosts/$1/host_key") | cut -d' ' -f2
}
unchanged() {
    cmp "$file" "$work/before"
}

environment
cp "$file" "$work/before"
check "a host that nobody knows is not asked who it is" ends 3 'machine_id not seen' doctor --pin
check "its key is shown, and said to be unknown" grep -qF "$(key_of bare-1)   new, known to nobody here" "$work/said"
check "nothing was written without a review" unchanged
check "nor with another name" ends 3 'nothing was written' doctor --pin --confirm her
check "that wrote nothing either" unchanged
check "after it the keys are written" ends 0 'wrote 2 into' doctor --pin --confirm here
check "both, as they are" grep -qF "{bare-1: {host_key: \"$(key_of bare-1)\"}, bare-2: {host_key: \"$(key_of bare-2)\"}} # third" "$file"
check "remarks stay" test "$(grep -c '# first\|# second\|# third' "$file")" -eq 3
check "hosts that are recognised by them say who they are" ends 0 'wrote 2 into' doctor --pin --confirm here
check "which is pinned as well" test "$(grep -o 'machine_id: "[0-9a-f]*"' "$file" | wc -l)" -eq 2
check "then all is as pinned" ends 0 'as pinned' doctor --pin
check "and ready" ends 0 'ready: drills may run here' doctor
sed -i "s|$(key_of bare-1)|$(key_of bare-2)|" "$file"
check "a changed key is said to be changed" ends 3 'CHANGED, it was' doctor --pin
cp "$file" "$work/before"
check "and not written by a word on the command line" ends 3 '1 changed, which --confirm does not write' doctor --pin --confirm here
check "which leaves the file as it was" unchanged

environment "gate: {node_opt_in: true, longest_fault: 2m, forbid: {faults: [kill]}}
timezone: UTC"
cp "$LAB_STATE/known_hosts" "$work/known"
check "doctor says that a host lacks its opt-in" ends 3 'lacks its opt-in (gate: {node_opt_in: true}): there is no /etc/faildrill.allow' doctor
mend() { # the very lines, as root there
    sed -n "/cat >\/etc\/faildrill.allow/,/^END/p" "$work/said" | sed -n '1,/^END/p' | sed 's/^ *cat/cat/' >"$work/mend"
    for host in bare-1 bare-2; do "$lab" exec "$host" sh <"$work/mend" || return; done
}
check "the lines that mend it are sh" mend
check "and mend it" ends 0 'its own word: ' doctor
check "without what the gate forbids" eval '! grep -q "kinds.* kill " "$work/mend"'

if command -v ansible-playbook >/dev/null; then
    doctor --ansible >"$work/playbook.yml"
    check "ansible takes the playbook" ansible-playbook -i localhost, --syntax-check "$work/playbook.yml"
else
    skip "ansible takes the playbook" "ansible-playbook is not installed"
fi

environment 'secrets: {db: {env: SECRET_OF_THIS_SHELL}}'
export SECRET_OF_THIS_SHELL=x
check "with the variables of this shell all is there" ends 0 'ready: drills may run here' doctor
check "a timer has them not" ends 2 'SECRET_OF_THIS_SHELL' doctor --as-timer
eval "$(ssh-agent)" >/dev/null
at_end kill "$SSH_AGENT_PID"
ssh-add -q "$LAB_STATE/key"
sed -i 's/IdentityFile .*/IdentityFile \/nonexistent/; s/IdentitiesOnly .*/IdentitiesOnly no/; s/IdentityAgent .*/IdentityAgent SSH_AUTH_SOCK/' "$work/ssh_config"
environment
check "with an agent one logs in" ends 0 'ready: drills may run here' doctor
check "a timer has none, and says so for each host" ends 3 '! bare-1' doctor --as-timer
