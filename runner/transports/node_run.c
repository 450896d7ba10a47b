/* node_run.c - plain work of a `run:` step: the user's text, as the login user. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "../base/text.h"
#include "node_talk.h"
#include "quote.h"

#define OUTPUT_MAX (64 * 1024)

/* As for our own scripts, but what runs is the user's: its exit status counts, no word at its end.
 */
static const char run_line[] =
    "s=$(head -c \"$1\"); exec </dev/null; case $s in *\"#end $2\") "
    "eval \"$s\";; *) echo \"the script was cut off\" >&2; exit 97;; esac";

static bool read_all(const struct Target *target, void *channel, struct RunResult *out,
                     struct Mono deadline, struct Err *err)
{
    for (bool ended = false; !ended;) {
        struct Buf rest = BUF(16 * 1024);
        bool good =
            target->reach->read(channel, out->out.cut ? &rest : &out->out, &ended, deadline, err);
        buf_free(&rest); /* past the limit it is read all the same, or the script would wait */
        if (!good)
            return false;
    }
    return target->reach->status(channel, &out->status, &out->errors, deadline, err);
}

bool node_run(struct HostNode *node, const struct RunText *input, struct Mono deadline,
              struct RunResult *out, struct Err *err)
{
    const struct TransportKind *reach = node->target->reach;
    struct Buf body = BUF(NODE_SCRIPT_MAX);
    char hash[65], size[24];
    *out = (struct RunResult){.status = -1, .out = BUF(OUTPUT_MAX), .errors = BUF(OUTPUT_MAX)};
    for (size_t i = 0; i < input->variable_count; i++)
        quote_assignment(&body, input->variables[i].name, input->variables[i].value);
    buf_put(&body, input->script);
    hash_hex(body.text, body.size, hash);
    hash[16] = '\0';
    buf_printf(&body, "\n#end %s", hash);
    snprintf(size, sizeof size, "%zu", body.size);
    bool good = !body.cut || err_set(err, ERR_LIMIT, node->target->where,
                                     "a script of more than %d bytes", NODE_SCRIPT_MAX);
    const char *const argv[] = {"sh", "-c", run_line, "fd", size, hash, NULL};
    void *channel = good ? reach->start(node->session, argv, deadline, err) : NULL;
    good = channel != NULL && reach->write(channel, body.text, body.size, deadline, err) &&
           reach->end_input(channel, deadline, err) &&
           read_all(node->target, channel, out, deadline, err);
    if (channel != NULL)
        reach->finish(channel);
    buf_free(&body);
    return good;
}
