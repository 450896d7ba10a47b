# share_rounds_up.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a share that rounds to nobody takes one
# file runner/engine/draw.c
# test tests/unit/engine_draw_test : test_a_share_that_rounds_to_nobody_is_an_error
s/^    if \(count == 0 \|\| count > fit\) \{$/    if (count == 0)\n        count = 1;\n    if (count > fit) {/
