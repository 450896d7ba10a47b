#!/usr/bin/env bash
# completion_test.sh - the Tab key in real shells: verbs, options, environments, scenarios, runs.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
cd "$work" || exit 1
mkdir -p bin project/scenarios project/environments
ln -s "$(realpath "$FAILDRILL")" bin/faildrill
PATH=$work/bin:$PATH
echo 'project: tabs' >project/faildrill.yaml
for name in lose_api lose_db; do printf 'scenario: %s\n' "$name" >"project/scenarios/$name.yaml"; done
for name in staging 'pro duction'; do : >"project/environments/$name.yaml"; done
cd project || exit 1

# words_are WANTED WORD...: what the program offers, the last word being typed.
words_are() {
    local wanted=$1 got
    shift
    got=$(faildrill completion words -- "$@" | paste -sd,) && [ "$got" = "$wanted" ] && return
    echo "offered: $got"
    return 1
}
check "verbs by their beginning" words_are 'validate,version' v
check "an option of the verb" words_are --confirm run --con
check "an option of all" words_are --env run --e
check "environments behind -e, with a blank in one" words_are 'pro duction,staging' run -e ''
check "and behind --env" words_are staging run --env s
check "scenarios for a FILE" words_are lose_api,lose_db plan -e staging lose
check "where -C says" words_are lose_api,lose_db -C ../project plan lose
check "nothing where nobody knows" words_are '' plan --seed ''
check "shells" words_are bash,zsh,fish completion -- ''
check "a run: last, where nothing ran, and no state is made" words_are last report ''
check "no folder was made for it" test ! -e .faildrill
check "another shell: exit 2" bash -c '! faildrill completion tcsh 2>/dev/null'

# asked SHELL WORD...: its output has these two scenarios; left out where there is no such shell.
asked() {
    command -v "$1" >/dev/null || { skip "$1 asks" "no $1 here"; return; }
    check "$1 asks" offers_both "$@"
}
offers_both() {
    "$@" 2>&1 | tee "$work/asked" | paste -sd' ' | grep -qx 'lose_api lose_db' || { cat "$work/asked"; return 1; }
}
# shellcheck disable=SC2016 # for those shells
asked bash --norc -c 'source <(faildrill completion bash); COMP_WORDS=(faildrill plan -e staging lose) COMP_CWORD=4
    _faildrill; printf "%s\n" "${COMPREPLY[@]}"'
# shellcheck disable=SC2016
asked zsh -f -c 'compdef() { :; }; compadd() { shift; print -l -- "$@"; }
    source <(faildrill completion zsh); words=(faildrill plan -e staging lose) CURRENT=5; _faildrill'
asked fish --no-config -c 'faildrill completion fish | source; complete -C "faildrill plan -e staging lose"'

[ "$failed" -eq 0 ]
