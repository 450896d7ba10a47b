#!/usr/bin/env bash
# try_test.sh - `try` in an empty folder: one line, a recovery interval, and two files that run again.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab staging

# Short ways, so that the line is one that people type.
mkdir "$work/bin" "$work/empty"
ln -s "$FAILDRILL" "$work/bin/faildrill"
ln -s "$LAB_STATE" "$work/lab"
export PATH=$work/bin:$PATH FAILDRILL_STATE=$work/state
cd "$work/empty" || exit 1

address=$(<"$LAB_STATE/hosts/staging-api-1/address")
# Somebody starts it again.
"$lab" exec staging-api-1 sh -c 'while :; do /etc/init.d/shop start >/dev/null 2>&1; sleep 1; done' &
at_end kill $!
line="faildrill try --on staging-api-1 -F ../lab/ssh_config --service shop --kill --probe http://$address:8080/healthz"
check "the line has at most 120 characters" test "${#line}" -le 120
tried() {
    local status
    bash -c "$line" >"$work/tried.out" 2>"$work/tried.err" </dev/null
    status=$?
    cat "$work/tried.out" "$work/tried.err"
    [ "$status" -eq 0 ]
}
check "it passes" tried
check "with a recovery interval" grep -qE 'service +recovery +[0-9.]+(-[0-9.]+)? m?s' "$work/tried.out"
files() {
    find . -type f | sort | paste -sd' '
}
check "it wrote a scenario and an environment, and nothing else" \
    test "$(files)" = "./environments/tried.yaml ./scenarios/try_kill_staging_api_1.yaml"
check "both are valid" faildrill validate --strict -e tried try_kill_staging_api_1
# The seed stands in the file; a token alone tells two plans apart.
bytes() {
    faildrill plan -e tried -v try_kill_staging_api_1 | sed -n '/^FD_VARS=/,/^Next:/{/^Next:/d;p}' | sed -E 's/01[0-9a-z]{24}/TOKEN/g'
}
same_bytes() {
    [ -s "$work/first" ] && diff "$work/first" <(bytes)
}
bytes >"$work/first"
check "they plan to the same bytes" same_bytes
again() {
    tried && [ "$(files)" = "./environments/tried.yaml ./scenarios/try_kill_staging_api_1.yaml" ]
}
check "the same line runs the same files again" again
clean() {
    [ -z "$("$lab" exec staging-api-1 sh -c 'ls -A /run/faildrill 2>/dev/null')" ]
}
check "nothing is left on the host" wait_for 5 clean

# ends STATUS PATTERN WORDS...: refused so, before any host is asked.
ends() {
    local status=$1 pattern=$2 got
    shift 2
    faildrill try "$@" >"$work/out" 2>&1 </dev/null
    got=$?
    cat "$work/out"
    [ "$got" -eq "$status" ] && grep -q -- "$pattern" "$work/out"
}
check "no host: exit 2" ends 2 'needs --on' --kill
check "no verb: exit 2" ends 2 'what is to be done' --on staging-api-1
check "two verbs: exit 2" ends 2 'one thing at a time' --on staging-api-1 --kill --freeze
check "no such host in an environment that there is" ends 2 'no host and no role' --on bare-9 -e tried --kill
check "a word that the verb does not have: exit 2, with its place" ends 2 'unknown key' --on staging-api-1 --kill --set by=1s

sed -e 's/tried/prod/' -e '1a protected: true' environments/tried.yaml >environments/prod.yaml
check "never where protected" ends 4 'is protected' -e prod --on staging-api-1 --isolate --for 5s
check "nor its hosts by another name" ends 4 'is protected' --on "$address" -e other --isolate --for 5s
check "nor one of two words in one" ends 2 'is not the name of one host' --on "bare-9,$address" -e other --kill
check "nor a name that is more than one" ends 2 'is not the name of one host' --on 'a]' -e other --kill
printf 'environment: aside\nssh: {config: "%s"}\nroles:\n  web: {hosts: {web-1: {address: "%s"}}}\n' "$LAB_STATE/ssh_config" "$address" >environments/aside.yaml
check "nor its hosts by the address of another environment's" ends 4 'is protected' -e aside --on web-1 --isolate --for 5s
check "nor by a role there" ends 4 'is protected' -e aside --on web --isolate --for 5s
check "of which nothing was written" test ! -e environments/other.yaml

[ "$failed" -eq 0 ]
