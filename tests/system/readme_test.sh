#!/usr/bin/env bash
# readme_test.sh - README's section on hosts of one's own, word for word, against three fresh lab hosts.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
can_make_hosts || skip_all "this machine gives no namespaces"
section='## On hosts of your own'
grep -qxF "$section" "$root/README.md" || skip_all "README.md has no section '$section'"

# Namespaces of its own, so that the section's default lab is nobody else's.
if [ -z "${IN_README-}" ]; then
    user=()
    unshare --net true 2>/dev/null || user=(--user --map-current-user --keep-caps)
    trap - EXIT
    rm -rf "$work"
    IN_README=1 exec unshare "${user[@]}" --net --mount --uts --ipc --pid --fork --mount-proc --kill-child "$0"
fi
ip link set lo up

# A copy of the tree with the program where `make` leaves it.
mkdir -p "$work/tree/build"
cp -r "$root/scenarios" "$work/tree/"
cp "$FAILDRILL" "$work/tree/build/faildrill"
cd "$work/tree" || exit 1
at_end scenarios/lab/lab down
export HOME=$work/home
mkdir "$HOME"

# Blocks of the section, numbered files: N.sh as it stands; N.yaml, and its name (the last `mine/...` before it).
awk -v section="$section" -v out="$work" '
    $0 == section { on = 1; next }
    on && /^## / { exit }
    !on { next }
    /^```/ && !kind { kind = substr($0, 4); n++; file = sprintf("%s/%02d.%s", out, n, kind); next }
    /^```/ { if (kind == "yaml") print name > (file ".name"); kind = ""; next }
    kind { print > file; next }
    match($0, /`mine\/[^`]*`/) { name = substr($0, RSTART + 1, RLENGTH - 2) }' "$root/README.md"

# As it stands; anew where the machine was too busy to look.
runs() {
    local status
    for _ in 1 2 3; do
        status=0
        bash -c "$1" >"$work/said" 2>&1 || status=$?
        if [ "$status" -ne 7 ] || ! grep -q 'of the attempts of probe .* were skipped or broken' "$work/said"; then break; fi
    done
    cat "$work/said"
    return "$status"
}
for block in "$work"/[0-9][0-9].*; do
    case $block in
    *.name) ;;
    *.yaml)
        mkdir -p "$(dirname "$(cat "$block.name")")"
        cp "$block" "$(cat "$block.name")"
        ;;
    *.sh)
        while IFS= read -r command; do
            check "README: $command" runs "$command"
        done < <(sed 's/[[:space:]]\{2,\}#.*//; s/[[:space:]]*$//; /^$/d' "$block")
        ;;
    esac
done
