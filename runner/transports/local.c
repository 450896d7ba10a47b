/* local.c - commands on this very machine. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"
#include "pipes.h"

struct LocalConfig {
    char nothing;
};

static const struct Field local_fields[] = {{.name = NULL}};

static void *local_open(const void *config, const struct Target *target, struct Mono deadline,
                        struct Err *err)
{
    static const struct List no_words;
    (void)config;
    (void)target;
    (void)deadline;
    (void)err;
    return pipes_open(&no_words);
}

static void local_by_hand(const void *config, const struct Target *target, struct Buf *out)
{
    (void)config;
    (void)target;
    buf_put(out, "sh");
}

const struct TransportKind local_transport = {
    .name = "local",
    .summary = "commands on this very machine",
    .config = {.name = "local",
               .doc = "The host is this machine.",
               .size = sizeof(struct LocalConfig),
               .fields = local_fields},
    .open = local_open,
    .start = pipes_start,
    .write = pipes_write,
    .end_input = pipes_end_input,
    .read = pipes_read,
    .status = pipes_status,
    .finish = pipes_finish,
    .close = pipes_close,
    .fd = pipes_fd,
    .by_hand = local_by_hand,
};
