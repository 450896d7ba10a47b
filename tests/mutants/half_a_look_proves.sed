# half_a_look_proves.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a look that ended early counts like one that was read to its end
# file runner/transports/node.sh
# test tests/unit/transports_safety_test : test_a_look_that_is_cut_off_proves_nothing
s/^to_the_end=.*$/to_the_end='. "$1"'/; s/unknown=125/unknown=0/
