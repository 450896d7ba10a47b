# no_answer_is_no.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a look that gives no answer counts as "not there"
# file runner/transports/node.sh
# test tests/unit/transports_safety_test : test_a_look_without_an_answer_proves_nothing
s/^    \[1-9\] \| \[1-9\]\[0-9\] \| 1\[01\]\[0-9\] \| 12\[0-3\]\) known=no ;;$/    *) known=no ;;/
