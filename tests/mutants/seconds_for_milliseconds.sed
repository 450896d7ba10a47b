# seconds_for_milliseconds.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a lease of 2 s is sent as 2 ms
# file runner/transports/node_guard.c
# test tests/system/node_test run renewed : run: renewed_it_outlasts_its_lease
s/^    return ns \/ \(10 \* NS_PER_MS\);$/    return ns \/ NS_PER_S;/
