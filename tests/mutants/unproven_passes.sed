# unproven_passes.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a fault that was not proven gives a verdict
# file reports/verdict.c
# test tests/unit/reports_analyse_test : test_every_spoiled_run_is_inconclusive_and_says_why
s/^        if \(fault->t0.high.ns == 0\)$/        if (false)/
