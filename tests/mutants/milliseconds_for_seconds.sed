# milliseconds_for_seconds.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a lease of 2 s is sent as 2000 s
# file runner/transports/node_guard.c
# test tests/system/node_test run runner_gone : run: runner_gone_the_guard_undoes
s/^    return ns \/ \(10 \* NS_PER_MS\);$/    return ns \/ (10 * NS_PER_MS) * 1000;/
