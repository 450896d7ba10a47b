# no_sync.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says rows are acknowledged before they are on disk
# file runner/store/store.c
# test tests/crash/store_crash_test.sh power : store_survives_power
s/PRAGMA synchronous = FULL/PRAGMA synchronous = OFF/
