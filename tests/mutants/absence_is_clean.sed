# absence_is_clean.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a host without our folder counts as clean
# file runner/transports/drive.sh
# test tests/unit/transports_safety_test : test_a_lost_folder_is_no_proof
s/^        if with_host scratch_folder; then$/        if known=yes; then :; elif with_host scratch_folder; then/
