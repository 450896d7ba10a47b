/* transports_drill.h - what the tests of one drill on one host share. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TESTS_TRANSPORTS_DRILL_H
#define FD_TESTS_TRANSPORTS_DRILL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../fakes/drill.h"

#define LONG_NS (20 * NS_PER_S)
#define CAP_NS (60 * NS_PER_S)

static void open_and_arm(struct Drill *drill, enum DrillKind kind, int64_t lease_ns)
{
    drill_open(drill, kind, lease_ns, CAP_NS);
    drill_lock(drill);
    drill_arm(drill);
}

/* On the host, in the fault's folder. */
static void on_host(const struct Drill *drill, const char *line)
{
    struct Buf whole = BUF(4000), out = BUF(4000);
    buf_printf(&whole, "cd /run/faildrill/*_1 2>/dev/null || :; set -e; %s", line);
    if (space_sh(&drill->space, whole.text, &out) != 0)
        fail_msg("on the host: %s: %s", line, out.text);
    buf_free(&whole);
    buf_free(&out);
}

static enum Known undo_now(struct Drill *drill)
{
    struct Buf detail = BUF(1000);
    enum Known known =
        node_undo(drill->node, &drill->undo, drill_in(60), &drill->undone, &detail, &drill->err);
    buf_free(&detail);
    return known;
}

static void end(struct Drill *drill)
{
    drill_undo(drill);
    drill_is_clean(drill, 30);
    drill_close(drill);
}

#endif
