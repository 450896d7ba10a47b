/* prefix.c - commands behind words that lead to the host, such as docker exec. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"
#include "pipes.h"

static const struct Field prefix_fields[] = {
    {.name = "words",
     .type = FIELD_LIST,
     .offset = offsetof(struct PrefixConfig, words),
     .flags = FIELD_REQUIRED | FIELD_SUBJECT,
     .example = "[ip, netns, exec, \"${host.name}\"]",
     .doc = "The words before every command; they must keep its standard streams and exit status."},
    {.name = NULL}};

static void *prefix_open(const void *config, const struct Target *target, struct Mono deadline,
                         struct Err *err)
{
    const struct PrefixConfig *prefix = config;
    (void)deadline;
    if (prefix->words.count == 0) {
        err_set(err, ERR_TARGET, target->where, "'%s' has an empty prefix", target->name);
        return NULL;
    }
    return pipes_open(&prefix->words);
}

static void prefix_by_hand(const void *config, const struct Target *target, struct Buf *out)
{
    const struct PrefixConfig *prefix = config;
    const char *const *words = prefix->words.items;
    (void)target;
    for (size_t i = 0; i < prefix->words.count; i++) {
        buf_put(out, words[i]);
        buf_char(out, ' ');
    }
    buf_put(out, "sh");
}

const struct TransportKind prefix_transport = {
    .name = "prefix",
    .summary = "commands behind words that lead to the host, such as docker exec",
    .config = {.name = "prefix",
               .doc = "The host is reached by words before every command.",
               .size = sizeof(struct PrefixConfig),
               .fields = prefix_fields},
    .open = prefix_open,
    .start = pipes_start,
    .write = pipes_write,
    .end_input = pipes_end_input,
    .read = pipes_read,
    .status = pipes_status,
    .finish = pipes_finish,
    .close = pipes_close,
    .fd = pipes_fd,
    .by_hand = prefix_by_hand,
};
