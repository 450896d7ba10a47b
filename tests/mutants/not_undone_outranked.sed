# not_undone_outranked.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says NOT UNDONE is outranked by another verdict
# file reports/verdict.c
# test tests/unit/reports_analyse_test : test_not_undone_outranks_everything
s/^    if \(out->undone_count < out->fault_count\)$/    if (out->undone_count < out->fault_count \&\& verdict == VERDICT_FAIL)/
