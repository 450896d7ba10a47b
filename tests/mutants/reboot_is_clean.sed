# reboot_is_clean.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a rebooted host counts as clean
# file runner/transports/drive.sh
# test tests/unit/transports_safety_test : test_a_reboot_is_no_proof
s/^    look_clear \|\| \[ "\$again" = no \] \|\| undo_and_look$/    if [ "$again" = no ]; then known=yes; else look_clear || undo_and_look; fi/
