# may_act_once.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says what may act is not asked again behind the fence
# file runner/transports/node.sh
# test tests/system/node_test run a_line_read : run: a_line_read_after_the_tombstone_does_nothing
s/^    may_act \|\| return 1$/    :/
