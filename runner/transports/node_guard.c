/* node_guard.c - arms the guard on a host, reads it back, keeps its lease alive. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "node_guard.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "quote.h"

#define PROOF_NS (30 * NS_PER_S) /* how long in_place may take to come true after apply */

static int64_t centiseconds(int64_t ns)
{
    return ns / (10 * NS_PER_MS);
}

/* What the folder's `vars` holds: everything that its scripts must know without us. */
static void put_vars(struct Buf *script, const struct ArmInput *input)
{
    const struct Procedure *procedure = input->procedure;
    struct Buf vars = BUF(NODE_SCRIPT_MAX);
    char id[64];
    snprintf(id, sizeof id, "%s_%" PRIu32, input->token->text, input->number);
    quote_assignment(&vars, "FD_ID", id);
    quote_assignment(&vars, "FD_TOKEN", input->token->text);
    quote_assignment(&vars, "FD_WHAT", input->what);
    quote_assignment(&vars, "FD_WHO", input->who);
    buf_printf(&vars, "FD_CLASS=%c FD_LEASED=%" PRId64 " FD_CAP=%" PRId64 " FD_PROOF=%" PRId64,
               fault_class_letter(procedure->ends_by), centiseconds(procedure->lease_ns),
               centiseconds(procedure->cap_ns), centiseconds(PROOF_NS));
    quote_assignment(script, "FD_VARS", vars.text);
    buf_free(&vars);
}

/* Without what only a connection knows: `plan` prints and hashes these bytes. */
static void arm_script(struct Buf *script, const struct ArmInput *input)
{
    const struct Procedure *procedure = input->procedure;
    const struct {
        const char *name;
        const struct Commands *commands;
    } parts[] = {
        {"FD_SAVE", &procedure->save},       {"FD_APPLY", &procedure->apply},
        {"FD_UNDO", &procedure->undo},       {"FD_PLACE", &procedure->in_place},
        {"FD_CLEAR", &procedure->all_clear}, {"FD_RENEW", &procedure->renew},
    };
    struct Arena *arena = arena_new("arm", NODE_SCRIPT_MAX);
    unsigned needs = 0;
    quote_assignment(script, "FD_ALLOW", input->allow != NULL ? input->allow : "");
    put_vars(script, input);
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        const char *text = commands_shell(parts[i].commands, arena);
        needs |= library_of(text);
        quote_assignment(script, parts[i].name, text);
    }
    talk_fault(script, input->token, input->number);
    talk_library(script, needs);
    buf_put(script, drive_sh);
    buf_put(script, "eval \"$FD_VARS\"\narm\n");
    arena_free(arena);
}

void guard_watch_script(struct Buf *script, const struct Token *token, uint32_t number,
                        const char *verb)
{
    talk_fault(script, token, number);
    buf_printf(script,
               "if [ -r $FD_DIR/vars ] && [ -r $FD_DIR/node ]; then\n"
               "    . $FD_DIR/vars\n    . $FD_DIR/node\n    %s\n"
               "else\n"
               "    read -r boot </proc/sys/kernel/random/boot_id\n"
               "    echo \"fd:boot $boot\"\n    echo fd:gone\n"
               "fi\n",
               verb);
}

void node_plan_text(const struct ArmInput *input, struct Buf *out)
{
    const struct Procedure *procedure = input->procedure;
    if (!procedure->from_here || procedure->undo.count > 0) {
        arm_script(out, input);
        guard_watch_script(out, input->token, input->number, "fire");
    }
    if (!procedure->from_here)
        return;
    struct Arena *arena = arena_new("strike", NODE_SCRIPT_MAX);
    quote_assignment(out, "FD_STRIKE", commands_shell(&procedure->strike, arena));
    quote_assignment(out, "FD_CLEAR", commands_shell(&procedure->returned, arena));
    buf_put(out, strike_sh);
    arena_free(arena);
}

/* Its token and hash are ours, its process was seen: only then is it a guard. */
static bool read_back(struct HostNode *node, const struct ArmInput *input, const struct Buf *reply,
                      struct Guarded *guarded, struct Err *err)
{
    struct Arena *arena = arena_new("read back", NODE_SCRIPT_MAX);
    char armed[200] = "", hash[80] = "", ours[65], pid[24], born[24], until[24];
    const char *undo = commands_shell(&input->procedure->undo, arena);
    hash_hex(undo, strlen(undo), ours);
    arena_free(arena);
    if (!reply_allowed(node, reply, ERR_NOT_READY, "arm", err))
        return false;
    if (!reply_get(reply, "armed", armed, sizeof armed) ||
        sscanf(armed, "%23s %23s %63s %23s", pid, born, guarded->boot_id, until) != 4)
        return err_set(err, ERR_TARGET, node->target->where, "'%s' did not say what it armed",
                       node->target->name);
    if (!reply_get(reply, "undo", hash, sizeof hash) || strncmp(hash, ours, 64) != 0)
        return err_set(err, ERR_TARGET, node->target->where,
                       "the undo that '%s' holds is not the one that was sent", node->target->name);
    if (!reply_get(reply, "alive", NULL, 0))
        return err_set(err, ERR_TARGET, node->target->where, "the guard on '%s' is not alive",
                       node->target->name);
    return true;
}

const struct Guarded *guard_arm(struct HostNode *node, const struct ArmInput *input,
                                struct Mono deadline, struct Arena *arena, struct Err *err)
{
    struct Buf script = BUF(NODE_SCRIPT_MAX), reply = BUF(NODE_REPLY_MAX);
    struct Guarded *guarded = arena_zero(arena, 1, sizeof *guarded);
    guarded->token = *input->token;
    guarded->number = input->number;
    guarded->ends_by = input->procedure->ends_by;
    guarded->all_clear = commands_shell(&input->procedure->all_clear, arena);
    arm_script(&script, input);
    bool good =
        talk(node, &script, &reply, deadline, err) && read_back(node, input, &reply, guarded, err);
    buf_free(&script);
    buf_free(&reply);
    return good ? guarded : NULL;
}

const char *guarded_boot_id(const struct Guarded *guarded)
{
    return guarded->boot_id;
}

/* The folder is gone in the same boot: whoever took it away had seen all_clear. We look as well. */
static bool look_behind(struct HostNode *node, const struct Guarded *guarded, struct Mono deadline,
                        struct GuardState *state, struct Err *err)
{
    struct UndoInput look = {.token = &guarded->token,
                             .number = guarded->number,
                             .undo = "",
                             .all_clear = guarded->all_clear,
                             .boot_id = guarded->boot_id,
                             .ends_by = guarded->ends_by};
    enum Known clear = node_look(node, &look, deadline, NULL, err);
    if (clear == KNOWN_UNKNOWN)
        return false;
    state->undone = clear == KNOWN_YES;
    return true;
}

bool guard_watch(struct HostNode *node, const struct Guarded *guarded, struct Watch watch,
                 struct Mono deadline, struct GuardState *out, struct Err *err)
{
    struct Buf script = BUF(NODE_SCRIPT_MAX), reply = BUF(NODE_REPLY_MAX);
    struct GuardState state = {.alive = false};
    char boot[64] = "", place[16] = "";
    buf_printf(&script, "FD_EXTEND=%d FD_LOOK=%d\n", watch.renew, watch.look);
    guard_watch_script(&script, &guarded->token, guarded->number, "watch");
    bool good = talk(node, &script, &reply, deadline, err);
    if (good && !reply_get(&reply, "boot", boot, sizeof boot))
        good = err_set(err, ERR_TARGET, node->target->where, "'%s' did not say which boot it is",
                       node->target->name);
    if (good) {
        state.alive = reply_get(&reply, "alive", NULL, 0);
        state.renewed =
            reply_get(&reply, "renewed", place, sizeof place) && strcmp(place, "yes") == 0;
        state.halt_asked = reply_get(&reply, "halt", NULL, 0);
        state.undone = reply_get(&reply, "undone", NULL, 0);
        state.rebooted = strcmp(boot, guarded->boot_id) != 0;
        if (!reply_get(&reply, "place", place, sizeof place))
            place[0] = '\0';
        state.in_place = strcmp(place, "yes") == 0  ? KNOWN_YES
                         : strcmp(place, "no") == 0 ? KNOWN_NO
                                                    : KNOWN_UNKNOWN;
        reply_get(&reply, "said", state.said, sizeof state.said);
        if (reply_get(&reply, "gone", NULL, 0) && !state.rebooted)
            good = look_behind(node, guarded, deadline, &state, err);
    }
    if (good)
        *out = state;
    buf_free(&script);
    buf_free(&reply);
    return good;
}
