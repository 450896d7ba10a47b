# lock_not_taken.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says every run is told that it has the host
# file runner/transports/drive.sh
# test tests/unit/transports_node_test : test_one_run_holds_a_host
/^lock_take\(\) \{/a\    mkdir -p "$fd_root/lock"; echo "$FD_TOKEN" >"$fd_root/lock/token"; say locked; return
