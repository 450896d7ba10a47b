#!/usr/bin/env bash
# track_record_test.sh - each issue of the track record has a test that prints its name: tests/track_record.md.
# SPDX-License-Identifier: Apache-2.0
set -uo pipefail
cd -- "${BASH_SOURCE[0]%/*}/../.." || exit 1

# What the rows are: 1-29 fault left behind, 30 and 31 locked out, 32-38 wrong target or duration.
last=38 failed=0
table=tests/track_record.md

say() {
    if [ "$1" = 0 ]; then
        echo "ok $2"
    else
        echo "not ok $2"
        failed=1
    fi
}

# In C a test stands as TRACK("issue", name), in shell and in file names as it is printed.
stands_in() {
    local file=$1 name=$2
    [ -e "$file" ] || return 1
    case $file in
    *.c) grep -qF "TRACK(\"${name%%: *}\", ${name#*: })" "$file" ;;
    tests/golden/bad/*) [ "${file##*/}" = "$name.yaml" ] && [ -s "${file%.yaml}.expect" ] ;;
    *) grep -qE "(check|ok|not_ok) \"?$name: " "$file" ;;
    esac
}

while IFS='|' read -r _ row issue file name _; do
    row=${row// /} file=${file// /}
    [[ $row =~ ^[0-9]+$ ]] || continue
    issue=${issue# } issue=${issue% } name=${name# } name=${name% }
    rows[row]=1
    stands_in "$file" "$name"
    say $? "$issue: $name is in $file"
done <"$table"
for ((row = 1; row <= last; row++)); do
    [ -n "${rows[row]-}" ] || say 1 "row $row of the track record has no test"
done
exit $failed
