# apply_outlives_fence.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says an undo leaves alone an apply whose shell, which held the fence, was killed
# file runner/transports/node.sh
# test tests/unit/transports_safety_test : test_an_apply_without_its_fence_ends_with_the_undo
s/^    end_session "\$FD_DIR.applying"$/    :/
