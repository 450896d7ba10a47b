#!/usr/bin/env bash
# install_test.sh - `make install` gives a program and a lab that work without the source tree.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
cd "$root" || exit 1

check "make install" make -s BUILD="$BUILD" DESTDIR="$work/dest" PREFIX=/usr install
installed=$work/dest/usr
check "the program is there" test -x "$installed/bin/faildrill"
check "it runs" "$installed/bin/faildrill" version
check "the lab is there and runs" "$installed/share/faildrill/scenarios/lab/lab" help
check "the scenarios are valid where they are installed" \
    bash -c "cd '$work' && '$installed/bin/faildrill' validate '$installed'/share/faildrill/scenarios/*.yaml"
check "nobody else may write any of it" bash -c "! find '$work/dest' -perm /022 ! -type l | grep ."
hardened() {
    readelf -W -l -d -s "$installed/bin/faildrill" >"$work/elf"
    grep -q GNU_RELRO "$work/elf" && grep -qE 'BIND_NOW|Flags:.* NOW' "$work/elf" && grep -q ' PIE' "$work/elf" &&
        ! grep -q 'GNU_STACK.*RWE' "$work/elf" && grep -q '_chk@' "$work/elf"
}
check "it is hardened: RELRO, NOW, PIE, no executable stack, fortified" hardened
