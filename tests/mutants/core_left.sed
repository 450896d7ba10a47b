# core_left.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a runner that crashes leaves its secrets in a core
# file runner/cli/cli.c
# test tests/system/canary_test.sh : and leaves no core
s/^    prctl\(PR_SET_DUMPABLE, 0\);//
