# no_cap_needed.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a fault may last for ever
# file runner/model/procedure.c
# test tests/unit/procedure_check_test : test_nothing_lasts_for_ever
s/^    if \(procedure->cap_ns <= 0\)$/    if (false)/
