# no_answer_is_clear.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a look that gives no answer counts as clear
# file runner/transports/node.sh
# test tests/unit/transports_safety_test : test_a_look_without_an_answer_proves_nothing
s/^    \*\) known=unknown ;;$/    *) known=yes ;;/
