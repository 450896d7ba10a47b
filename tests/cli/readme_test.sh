#!/usr/bin/env bash
# readme_test.sh - every command in README.md is run: the list below says how each of them is.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
readme=$root/README.md
[ -e "$readme" ] || skip_all "there is no README.md"

# The commands of the fenced `sh` blocks, a line each: comments and continuations away.
awk '/^```/ { inside = $0 == "```sh"; next } inside' "$readme" |
    sed -e ':a' -e '/\\$/N; s/\\\n *//; ta' -e 's/[[:space:]]\{2,\}#.*//; s/^[[:space:]]*#.*//; s/[[:space:]]*$//' |
    grep -v '^$' >"$work/commands"

# PATTERN<tab>HOW: the first pattern (a whole-line extended regular expression) that fits says how it is run.
#   here    run as it stands in a copy of the project, without any host
#   TEST    another test runs it: named, and it must exist
cat >"$work/how" <<'END'
git clone .*	tests/cli/readme_test.sh
make demo	scenarios/lab/demo
(KEEP=1 )?make demo	scenarios/lab/demo
make( all)?	tests/cli/install_test.sh
(sudo )?make install.*	tests/cli/install_test.sh
make help	here
make (deps|check-deps)	.ci/deps
make (check|unit|system|crash|lint|asan|clang|cli)	.ci/check
faildrill (help.*|version.*|explain .*|schema .*|validate.*|schedule .*)	here
faildrill run (--resume )?december	tests/gameday/day_test.sh
faildrill note .*	tests/gameday/day_test.sh
faildrill plan .*--override .*	tests/system/gate_test.sh
faildrill (doctor --helper|plan .*--allow) .*	tests/gate/helper_test.sh
faildrill doctor .*--ansible .*	tests/gate/doctor_test.sh
faildrill (plan|run|trends|report|runs|doctor|status|halt|undo).*	tests/system/readme_test.sh
faildrill try .*	tests/system/try_test.sh
sudo sh /run/faildrill/undo	tests/crash/run_crash.py
(build/)?faildrill .*	tests/system/readme_test.sh
mkdir -p mine/.*	tests/system/readme_test.sh
(scenarios/lab/lab|ssh -F build/lab/ssh_config) .*	tests/system/lab_test.sh
END

check "README.md has commands" test -s "$work/commands"
mkdir "$work/bin" "$work/project"
ln -s "$FAILDRILL" "$work/bin/faildrill"
cp -r "$root/scenarios" "$root/Makefile" "$work/project/"
here() {
    (cd "$work/project" && PATH=$work/bin:$PATH FAILDRILL_STATE=$work/state bash -ec "$1")
}
# Its game day, beside the scenarios that it names.
awk '/^```/ { if (file) close(file); file = ""; next } /^gameday: / { file = out "/" $2 ".yaml" } file { print >file }' \
    out="$work/project/scenarios" "$readme"
check "README: its game day is valid" here 'faildrill validate scenarios/december.yaml'
while IFS= read -r command; do
    how=''
    while IFS=$'\t' read -r pattern as; do
        [[ -n $how ]] || ! [[ $command =~ ^($pattern)$ ]] || how=$as
    done <"$work/how"
    case $how in
    '') not_ok "README: nothing runs '$command'" ;;
    here) check "README: $command" here "$command" ;;
    *) check "README: $command (run by $how)" test -e "$root/$how" ;;
    esac
done <"$work/commands"
