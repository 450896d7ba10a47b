#!/usr/bin/env bash
# basics_test.sh - help, options, exit statuses and streams, without any host.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
cd "$work" || exit 1
export FAILDRILL_STATE=$work/state

# says STATUS STREAM PATTERN WORDS...: the program ends so, and one line of that stream (out, err) has PATTERN.
says() {
    local status=$1 stream=$2 pattern=$3 got
    shift 3
    "$FAILDRILL" "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    cat "$work/out" "$work/err"
    [ "$got" -eq "$status" ] || {
        echo "exit $got, wanted $status: faildrill $*"
        return 1
    }
    grep -qE -- "$pattern" "$work/$stream" || {
        echo "std$stream lacks /$pattern/: faildrill $*"
        return 1
    }
}
short() {
    "$FAILDRILL" "$@" >"$work/out" && [ "$(wc -l <"$work/out")" -lt 40 ]
}

check "no words: the first screen, with the next step last" says 0 out '^Next: faildrill help'
check "the first screen has fewer than 40 lines" short
check "help all lists every verb" says 0 out '^  validate ' help all
for verb in try init doctor plan run status halt undo report trends validate explain schema approve schedule note runs completion version; do
    check "help $verb gives an example and the next step" says 0 out "^  faildrill .*$verb" help "$verb"
    check "$verb -h says the same" says 0 out '^Next: ' "$verb" -h
    check "help $verb has fewer than 40 lines" short help "$verb"
done
check "an unknown verb: exit 2, the nearest one" says 2 err 'did you mean .faildrill run' runn
check "an unknown option: exit 2, the nearest one" says 2 err 'did you mean --confirm' run --confirn x
check "an option without its value: exit 2" says 2 err "option '--env' needs a value" run --env
check "too many words: exit 2" says 2 err . version one two
check "no environment named: exit 4, nothing contacted" says 4 err 'there is no default' run redis_primary_dies
check "a file that is not there: exit 2" says 2 err 'no_such_drill' run -e staging no_such_drill
check "version is one line" says 0 out '^faildrill [0-9]+\.[0-9]+\.[0-9]+$' version
check "version -v names its libraries" says 0 out 'libssh2' version -v

check "every scenario and environment of the tree is valid" says 0 out . -C "$root" validate \
    "$root"/scenarios/*.yaml "$root"/scenarios/environments/*.yaml
printf 'scenario: bad\nprobs: {}\n' >bad.yaml
check "a bad file: exit 2 with place and nearest key" says 2 err 'bad.yaml:2:1.*|probes' validate bad.yaml
check "explain a verb" says 0 out 'kill' explain kill
check "explain an unknown word: exit 2" says 2 err . explain nonsense_word
check "schema is JSON" bash -c "'$FAILDRILL' schema scenario | python3 -c 'import json,sys; json.load(sys.stdin)'"
check "an unknown kind of file: exit 2" says 2 err . schema nonsense
check "no history: trends says so" says 0 out . trends
check "no run: report says so, exit 2" says 2 err . report last

check "no colour where it was not asked for" bash -c "! '$FAILDRILL' | grep -q \$'\\e'"
check "--color=always has colour, NO_COLOR has none" bash -c \
    "! NO_COLOR=1 '$FAILDRILL' --color=always validate '$work/bad.yaml' 2>&1 | grep -q \$'\\e'"
check "stdout that takes nothing: exit 8" bash -c "'$FAILDRILL' help all >/dev/full 2>/dev/null; [ \$? -eq 8 ]"
check "stdout that is closed: no crash" bash -c "'$FAILDRILL' help all >&- 2>/dev/null; [ \$? -eq 8 ]"
check "state is ours alone" bash -c "[ ! -e '$work/state' ] || [ \$(stat -c %a '$work/state') = 700 ]"
