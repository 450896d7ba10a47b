/* node_undo.c - the way back: undo, look, disarm, halt, and whatever lies on a host. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "node_guard.h"
#include "quote.h"

static void undo_script(struct Buf *script, const struct UndoInput *input, bool look)
{
    talk_fault(script, input->token, input->number);
    quote_assignment(script, "FD_UNDO", input->undo != NULL ? input->undo : "");
    quote_assignment(script, "FD_CLEAR", input->all_clear != NULL ? input->all_clear : "");
    quote_assignment(script, "FD_ARMED", input->boot_id != NULL ? input->boot_id : "");
    buf_printf(script, "FD_STICKY=%d FD_LOOKS=%d FD_PLAIN=%s\n", input->ends_by == CLASS_STICKY,
               look, input->plain ? "plain" : "fired");
    talk_library(script, library_of(input->undo) | library_of(input->all_clear));
    if (input->all_clear == NULL || input->all_clear[0] == '\0') { /* by its name */
        buf_put(script, files_sh);
        buf_put(script, ask_sh);
    }
    buf_put(script, drive_sh);
    buf_put(script, "undo\n");
}

static enum Known ask_clear(struct HostNode *node, const struct UndoInput *input, bool look,
                            struct Mono deadline, struct Buf *detail, struct Err *err)
{
    struct Buf script = BUF(NODE_SCRIPT_MAX), reply = BUF(NODE_REPLY_MAX);
    char clear[16] = "", said[600] = "", boot[64] = "";
    enum Known known = KNOWN_UNKNOWN;
    undo_script(&script, input, look);
    if (talk(node, &script, &reply, deadline, err)) {
        reply_get(&reply, "clear", clear, sizeof clear);
        reply_get(&reply, "boot", boot, sizeof boot);
        if (input->other_boot != NULL && input->boot_id != NULL && input->boot_id[0] != '\0')
            *input->other_boot = boot[0] != '\0' && strcmp(boot, input->boot_id) != 0;
        reply_get(&reply, "said", said, sizeof said);
        if (detail != NULL)
            buf_put(detail, said);
        if (strcmp(clear, "yes") == 0)
            known = KNOWN_YES;
        else if (strcmp(clear, "no") == 0)
            known = KNOWN_NO;
        else
            err_set(err, ERR_NOT_UNDONE, node->target->where,
                    "'%s' cannot say whether it is clear: %s", node->target->name, said);
    }
    buf_free(&script);
    buf_free(&reply);
    return known;
}

enum Known node_look(struct HostNode *node, const struct UndoInput *input, struct Mono deadline,
                     struct Buf *detail, struct Err *err)
{
    return ask_clear(node, input, true, deadline, detail, err);
}

enum Known node_undo(struct HostNode *node, const struct UndoInput *input, struct Mono deadline,
                     struct Moment *undone, struct Buf *detail, struct Err *err)
{
    undone->low = mono_now();
    enum Known known = ask_clear(node, input, false, deadline, detail, err);
    undone->high = mono_now();
    return known;
}

bool node_disarm(struct HostNode *node, const struct Token *token, uint32_t number,
                 struct Mono deadline, struct Err *err)
{
    struct Buf script = BUF(NODE_SCRIPT_MAX), reply = BUF(NODE_REPLY_MAX);
    talk_fault(&script, token, number);
    buf_put(&script, node_sh);
    buf_put(&script, drive_sh);
    buf_put(&script, "disarm\n");
    bool good = talk(node, &script, &reply, deadline, err) &&
                reply_allowed(node, &reply, ERR_NOT_UNDONE, "disarm", err);
    if (good && !reply_get(&reply, "disarmed", NULL, 0))
        good = err_set(err, ERR_TARGET, node->target->where, "'%s' did not say that it disarmed",
                       node->target->name);
    buf_free(&script);
    buf_free(&reply);
    return good;
}

bool node_halt(struct HostNode *node, const struct Token *token, struct Mono deadline,
               struct Err *err)
{
    struct Buf script = BUF(NODE_SCRIPT_MAX), reply = BUF(NODE_REPLY_MAX);
    quote_assignment(&script, "FD_TOKEN", token != NULL ? token->text : "");
    buf_put(&script, node_sh);
    buf_put(&script, drive_sh);
    buf_put(&script, "halt\n");
    bool good = talk(node, &script, &reply, deadline, err);
    buf_free(&script);
    buf_free(&reply);
    return good;
}

bool node_scan(struct HostNode *node, struct Mono deadline, struct Arena *arena,
               struct List *traces, struct Err *err)
{
    struct Buf script = BUF(NODE_SCRIPT_MAX), reply = BUF(NODE_REPLY_MAX);
    if (node->target->uid != NULL) {
        pods_scan_script(&script);
    } else {
        buf_put(&script, node_sh);
        buf_put(&script, files_sh);
        buf_put(&script, ask_sh);
        buf_put(&script, "scan\n");
    }
    bool good = talk(node, &script, &reply, deadline, err);
    const char *at = NULL;
    for (char *line; good && (line = reply_next(&reply, &at, "trace", arena)) != NULL;) {
        const char *parts[4] = {"", "", "", ""};
        for (size_t i = 0; i < COUNT_OF(parts) && line != NULL; i++)
            parts[i] = strsep(&line, "\t");
        *(struct Trace *)list_add(traces, arena, sizeof(struct Trace)) =
            (struct Trace){.kind = parts[0], .id = parts[1], .what = parts[2], .who = parts[3]};
    }
    at = NULL;
    for (char *line; good && (line = reply_next(&reply, &at, "unseen", arena)) != NULL;)
        *(struct Trace *)list_add(traces, arena, sizeof(struct Trace)) =
            (struct Trace){.kind = TRACE_UNSEEN, .id = "", .what = line, .who = ""};
    buf_free(&script);
    buf_free(&reply);
    return good;
}
