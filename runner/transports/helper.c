/* helper.c - the node's helper as a text, with the hashes of all that a runner may send. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "helper.h"

#include <string.h>

#include "../base/text.h"
#include "node_guard.h"
#include "quote.h"

static const char allow_sh[] = {
#include "runner/transports/allow.sh.h"
    0};
static const char helper_sh[] = {
#include "runner/transports/helper.sh.h"
    0};

/* A host that only listens: what node.h sends to it is kept, and it never answers. */
struct Ear {
    struct Buf heard;
};
static void *ear_start(void *session, const char *const *argv, struct Mono deadline,
                       struct Err *err)
{
    struct Ear *ear = session;
    (void)argv, (void)deadline, (void)err;
    buf_clear(&ear->heard);
    return ear;
}
static bool ear_write(void *channel, const char *bytes, size_t size, struct Mono deadline,
                      struct Err *err)
{
    struct Ear *ear = channel;
    (void)deadline, (void)err;
    buf_add(&ear->heard, bytes, size);
    return true;
}
static bool ear_read(void *channel, struct Buf *out, bool *ended, struct Mono deadline,
                     struct Err *err)
{
    (void)channel, (void)out, (void)ended, (void)deadline;
    return err_set(err, ERR_TARGET, NOWHERE, "nobody answers");
}
static void ear_finish(void *channel)
{
    (void)channel;
}
static const struct TransportKind EAR = {
    .name = "ear", .start = ear_start, .write = ear_write, .read = ear_read, .finish = ear_finish};

/* Behind the assignments; the library, which is one, belongs to it. */
static const char *code_of(const char *script)
{
    const char *library = strstr(script, "\nFD_LIB=");
    if (library != NULL)
        return library + 1;
    for (const char *at = script; *at != '\0'; at += strcspn(at, "\n") + 1) {
        size_t name = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_");
        if (name == 0 || at[name] != '=')
            return at;
    }
    bug("a script without code");
}

/* Without its last line, "#end HASH". Nobody answers here. */
static void put_code(struct Ear *ear, const char *verb, bool answered, struct Buf *out)
{
    char hash[65];
    if (answered)
        bug("a host that is none has answered");
    const char *code = code_of(ear->heard.text);
    const char *end = strrchr(code, '\n');
    hash_hex(code, (size_t)(end - code) + 1, hash);
    if (strstr(out->text, hash) == NULL) /* two that need the same parts of the library */
        buf_printf(out, "%s %s\n", hash, verb);
}

/* Values do not matter: they are not part of the code. */
struct Listening {
    struct HostNode node;
    struct Ear ear;
    struct Token token;
    struct Mono deadline;
    struct Arena *arena;
    struct Err err;
    struct Buf *out;
};

static void listen_looks(struct Listening *of)
{
    struct HostFacts facts = {.host = of->node.target};
    const struct Role run = {.name = "x", .service = {.exe = "/x"}};
    const struct Role *const roles[] = {NULL, &run};
    struct Named named = {.name = "x"};
    struct List traces = {.items = NULL};
    char boot[64];
    for (size_t at = 0; at < COUNT_OF(roles); at++) { /* one that runs a service sends more */
        put_code(&of->ear, "facts",
                 node_facts(&of->node, roles[at], of->deadline, of->arena, &facts, &of->err),
                 of->out);
        put_code(&of->ear, "serves",
                 node_serves(&of->node, roles[at], of->deadline, &of->err) == KNOWN_YES, of->out);
    }
    put_code(&of->ear, "names", node_names(&of->node, &named, of->deadline, of->arena, &of->err),
             of->out);
    put_code(&of->ear, "delays", node_delays(&of->node, of->deadline, of->arena, &facts, &of->err),
             of->out);
    put_code(&of->ear, "scan", node_scan(&of->node, of->deadline, of->arena, &traces, &of->err),
             of->out);
    put_code(&of->ear, "boot", node_boot_id(&of->node, boot, of->deadline, &of->err), of->out);
}

/* What calls these parts of the library, as library_of() reads it. */
static const char *calls(unsigned needs, struct Arena *arena)
{
    return arena_printf(arena, "%s%s%s%s", (needs & LIBRARY_SERVICE) ? "sh service x\n" : "",
                        (needs & LIBRARY_FILES) ? "sh service file x\n" : "",
                        (needs & LIBRARY_HOLDER) ? "sh hold x\n" : "",
                        (needs & LIBRARY_PODS) ? "sh pods x\n" : "");
}

/* A fault sends what its commands call, and no more. */
static void listen_library(struct Listening *of)
{
    for (unsigned needs = 0; needs <= LIBRARY_ALL; needs++) {
        const char *const words[] = {"sh", "-c", calls(needs, of->arena), NULL};
        struct Command command = {.what = "x", .argv = words};
        struct Procedure procedure = {.apply = {.at = &command, .count = 1}};
        struct ArmInput arm = {
            .procedure = &procedure, .token = &of->token, .number = 1, .what = "x", .who = "x"};
        struct UndoInput known = {
            .token = &of->token, .number = 1, .undo = words[2], .all_clear = "true\n"};
        struct UndoInput by_name = {.token = &of->token, .number = 1, .undo = words[2]};
        struct Moment undone;
        put_code(&of->ear, "arm",
                 guard_arm(&of->node, &arm, of->deadline, of->arena, &of->err) != NULL, of->out);
        put_code(&of->ear, "undo",
                 node_undo(&of->node, &known, of->deadline, &undone, NULL, &of->err) == KNOWN_YES,
                 of->out);
        put_code(&of->ear, "undo",
                 node_undo(&of->node, &by_name, of->deadline, &undone, NULL, &of->err) == KNOWN_YES,
                 of->out);
    }
}

static void listen_faults(struct Listening *of)
{
    struct Guarded guarded = {.token = of->token, .number = 1, .all_clear = ""};
    struct NodeLock lock = {.token = &of->token, .who = "x"};
    struct GuardState state;
    put_code(&of->ear, "lock", node_lock(&of->node, &lock, of->deadline, &of->err), of->out);
    put_code(&of->ear, "unlock", node_unlock(&of->node, &of->token, of->deadline, &of->err),
             of->out);
    node_unready(node_ready(&of->node, &guarded, of->deadline, &of->err));
    put_code(&of->ear, "fire", false, of->out);
    put_code(&of->ear, "watch",
             guard_watch(&of->node, &guarded, (struct Watch){.renew = true}, of->deadline, &state,
                         &of->err),
             of->out);
    put_code(&of->ear, "disarm", node_disarm(&of->node, &of->token, 1, of->deadline, &of->err),
             of->out);
    put_code(&of->ear, "halt", node_halt(&of->node, &of->token, of->deadline, &of->err), of->out);
}

static void put_codes(struct Buf *out)
{
    struct Target target = {.name = "x", .reach = &EAR};
    struct Listening of = {.ear = {.heard = BUF(NODE_SCRIPT_MAX)},
                           .deadline = mono_add(mono_now(), NS_PER_S),
                           .arena = arena_new("helper", 64U << 20),
                           .out = out};
    snprintf(of.token.text, sizeof of.token.text, "%026d", 0);
    of.node = (struct HostNode){
        .target = &target, .session = &of.ear, .privilege = PRIVILEGE_DIRECT, .port = "22"};
    listen_looks(&of);
    listen_faults(&of);
    listen_library(&of);
    buf_free(&of.ear.heard);
    arena_free(of.arena);
}

/* As the helper's awk prints them: the assignments, one after another. */
static void hash_parts(const char *const (*parts)[2], size_t count, char out[65])
{
    struct Buf text = BUF(NODE_SCRIPT_MAX);
    for (size_t i = 0; i < count; i++)
        quote_assignment(&text, parts[i][0], parts[i][1]);
    hash_hex(text.text, text.size, out);
    buf_free(&text);
}

void helper_hashes(const struct Procedure *procedure, struct Arena *arena, char arm[65],
                   char undo[65])
{
    const char *back = commands_shell(&procedure->undo, arena);
    const char *clear = commands_shell(&procedure->all_clear, arena);
    const char *const all[][2] = {{"FD_SAVE", commands_shell(&procedure->save, arena)},
                                  {"FD_APPLY", commands_shell(&procedure->apply, arena)},
                                  {"FD_UNDO", back},
                                  {"FD_PLACE", commands_shell(&procedure->in_place, arena)},
                                  {"FD_CLEAR", clear},
                                  {"FD_RENEW", commands_shell(&procedure->renew, arena)}};
    const char *const way_back[][2] = {{"FD_UNDO", back}, {"FD_CLEAR", clear}};
    hash_parts(all, COUNT_OF(all), arm);
    hash_parts(way_back, COUNT_OF(way_back), undo);
}

static void put_command(struct Buf *out, const char *name, const char *const *argv)
{
    struct Buf line = BUF(8192);
    if (!quote_line(&line, argv))
        bug("a command of several lines");
    quote_assignment(out, name, line.text);
    buf_free(&line);
}

void helper_write(const char *version, struct Buf *out)
{
    static const char *const no_undo[][2] = {{"FD_UNDO", ""}, {"FD_CLEAR", ""}};
    static const char marker[] = "# Values of the version that printed it.\n";
    char hash[65];
    struct Buf codes = BUF(16384);
    const char *values = strstr(helper_sh, marker);
    if (values == NULL)
        bug("helper.sh has no place for its values");
    values += sizeof marker - 1;
    buf_printf(out, "#!/bin/sh\n# faildrill-node, of faildrill %s\n", version);
    buf_add(out, helper_sh, (size_t)(values - helper_sh));
    put_command(out, "helper_who", (const char *const[]){"sh", "-c", talk_who, NULL});
    put_command(out, "helper_boot", (const char *const[]){"sh", "-c", talk_boot, "fd", NULL});
    hash_parts(NULL, 0, hash);
    quote_assignment(out, "helper_nothing", hash);
    hash_parts(no_undo, COUNT_OF(no_undo), hash);
    quote_assignment(out, "helper_no_undo", hash);
    put_codes(&codes);
    quote_assignment(out, "helper_codes", codes.text);
    buf_free(&codes);
    buf_char(out, '\n');
    buf_put(out, allow_sh);
    buf_put(out, values);
}
