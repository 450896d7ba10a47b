# folder_overwritten.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a second arming overwrites the first
# file runner/transports/drive.sh
# test tests/unit/transports_node_test : test_a_second_arming_leaves_the_first_alone
s/^    mkdir "\$FD_DIR" 2>\/dev\/null \|\| \{ refuse .*$/    mkdir -p "$FD_DIR"/
