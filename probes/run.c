/* run.c - runs a command on the runner's own machine, and looks at how it ends. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "../runner/base/arena.h"
#include "../runner/base/text.h"
#include "../runner/clients/command.h"
#include "../runner/model/environment.h"
#include "../runner/model/procedure.h"
#include "../runner/schema/decode.h"
#include "kinds.h"
#include "reply.h"

/* More at once would be a load of its own. */
enum { RUNNING_MAX = 64, SCRIPT_MOST = 64 * 1024, CANNOT_EXECUTE = 126, NOT_FOUND = 127 };

struct RunOk {
    int64_t exit;
    const char *output;
    int64_t under_ns;
};
struct RunConfig {
    const char *script;
    struct List variables; /* of struct TextPair */
    const struct RunOk *ok;
    int64_t under_ns;     /* ok's, where the engine finds it */
    const char *written;  /* `script`, as the file has it: else somebody has filled it in */
    const char *filled;   /* with ${fd_1} for its first reference */
    struct List fillings; /* of struct TextPair: fd_1 and what it stands for */
};

static const struct Field ok_fields[] = {{.name = "exit",
                                          .type = FIELD_INT,
                                          .offset = offsetof(struct RunOk, exit),
                                          .fallback = "0",
                                          .min = 0,
                                          .max = 255,
                                          .example = "1",
                                          .doc = "The exit status that is good."},
                                         {.name = "stdout",
                                          .type = FIELD_TEXT,
                                          .offset = offsetof(struct RunOk, output),
                                          .example = "ready",
                                          .doc = "A text that its output must contain."},
                                         {.name = "under",
                                          .type = FIELD_DURATION,
                                          .offset = offsetof(struct RunOk, under_ns),
                                          .min = NS_PER_MS,
                                          .max = 60 * NS_PER_S,
                                          .example = "800ms",
                                          .doc = UNDER_DOC},
                                         {.name = NULL}};
static const struct Record ok_record = {
    .name = "ok", .doc = "What a good end is.", .size = sizeof(struct RunOk), .fields = ok_fields};
static const struct Field run_fields[] = {
    {.name = "command",
     .type = FIELD_TEXT,
     .offset = offsetof(struct RunConfig, script),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED | FIELD_SCRIPT,
     .example = "'curl -fsS \"$URL\" | grep -q ready'",
     .doc = "The text that sh runs on the machine of faildrill, in /; at the timeout it is killed "
            "with its session."},
    {.name = "variables",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct RunConfig, variables),
     .example = "{URL: \"${endpoint.api}/healthz\", PGPASSWORD: \"${secret.shop}\"}",
     .doc = "What the command finds in its environment, beside PATH, HOME, LANG and the like; a "
            "value may be a secret as a whole."},
    {.name = "ok",
     .type = FIELD_RECORD,
     .offset = offsetof(struct RunConfig, ok),
     .flags = FIELD_ALWAYS,
     .of = &ok_record,
     .example = "{exit: 0, stdout: ready}",
     .doc = "What a good end is."},
    {.name = NULL}};

static void run_check(const void *record, const struct Node *node, struct Decode *decode);
static void *run_open(const struct ProbeInput *input, struct Loop *loop, struct Err *err);
static void run_start(void *probe, void *slot, struct Attempt *attempt);
static void run_cancel(void *probe, void *slot);
static void run_close(void *probe);
static void run_say(const void *config, struct Buf *out);

struct CommandSlot {
    struct Call *call;
    struct Attempt *attempt;
    const struct CommandProbe *probe;
};
struct CommandProbe {
    const struct RunConfig *config;
    struct Commands *commands;
    struct Buf script; /* what is set, and the command */
};

const struct ProbeKind run_probe = {
    .name = "run",
    .summary = "runs a command on this machine",
    .config = {.name = "run",
               .doc = "Runs a text in sh on the machine of faildrill; exit status 0 is good.",
               .size = sizeof(struct RunConfig),
               .fields = run_fields,
               .check = run_check},
    .runs_command = true,
    .under_offset = 1 + offsetof(struct RunConfig, under_ns),
    .slot_size = sizeof(struct CommandSlot),
    .missing = commands_missing,
    .open = run_open,
    .start = run_start,
    .cancel = run_cancel,
    .close = run_close,
    .say = run_say,
};

/* ---- what stands in the file ---- */

struct Filling {
    struct RunConfig *config;
    struct Decode *decode;
    struct Buf text;
    size_t copied; /* bytes of the script that are in `text` */
};

/* No value is pasted into shell text: each becomes a variable, set before it. */
static void fill_one(void *data, const char *ns, const char *name, size_t start, size_t size)
{
    struct Filling *filling = data;
    struct Arena *arena = filling->decode->arena;
    const char *script = filling->config->script, *value = NULL;
    const char *const *names = NULL;
    size_t count = 0;
    if (filling->decode->reference(filling->decode->reference_data, ns, name, &value, &names,
                                   &count) != REF_VALUE)
        value = arena_bytes(arena, script + start, size);
    struct TextPair *pair = list_add(&filling->config->fillings, arena, sizeof(*pair));
    pair->name = arena_printf(arena, "fd_%zu", filling->config->fillings.count);
    pair->value = arena_text(arena, value);
    buf_add(&filling->text, script + filling->copied, start - filling->copied);
    buf_printf(&filling->text, "${%s}", pair->name);
    filling->copied = start + size;
}

static void fill(struct RunConfig *config, struct Decode *decode)
{
    config->written = config->filled = config->script;
    if (decode->reference == NULL || !reference_present(config->script))
        return;
    struct Filling filling = {.config = config, .decode = decode, .text = BUF(2 * SCRIPT_MOST)};
    reference_each(config->script, fill_one, &filling);
    buf_put(&filling.text, config->script + filling.copied);
    config->filled = arena_text(decode->arena, filling.text.text);
    buf_free(&filling.text);
}

static void check_variables(const struct RunConfig *config, struct Decode *decode)
{
    const struct TextPair *pairs = config->variables.items;
    for (size_t n = 0; n < config->variables.count; n++)
        if (!text_is_name(pairs[n].name, false) && pairs[n].name[0] != '_')
            problems_say(decode->problems, ERR_VALUE, pairs[n].where,
                         "letters, digits and underscores, as in PGPASSWORD",
                         "'%s' is no name of a variable", pairs[n].name);
}

static void run_check(const void *record, const struct Node *node, struct Decode *decode)
{
    struct RunConfig *config = (struct RunConfig *)record;
    const struct Node *command = node_get(node, "run"), *from = node_get(node, "from");
    struct Where where = command != NULL ? command->where : node->where;
    config->under_ns = config->ok->under_ns;
    if (config->script[strspn(config->script, " \t\r\n")] == '\0')
        problems_say(decode->problems, ERR_VALUE, where, NULL, "the command is empty");
    if (strlen(config->script) > SCRIPT_MOST)
        problems_say(decode->problems, ERR_LIMIT, where, "let it call a script of its own",
                     "a command of more than %d bytes", SCRIPT_MOST);
    if (strstr(config->script, "${secret.") != NULL)
        problems_say(decode->problems, ERR_REFERENCE, where,
                     "say it under `variables`, and write \"$NAME\"",
                     "a command holds no secret: it is printed and stored");
    if (from != NULL)
        problems_say(decode->problems, ERR_RULE, from->where,
                     "leave `from` out; a step `run` with a `target` runs on a host",
                     "a probe's command runs on the machine of faildrill alone");
    check_variables(config, decode);
    fill(config, decode);
}

static void run_say(const void *data, struct Buf *out)
{
    const struct RunConfig *config = data;
    buf_put(out, "run on this machine: ");
    buf_visible(out, config->script, strlen(config->script), false);
}

/* ---- what a good end is ---- */

static void put_line(struct Buf *out, const char *text)
{
    text += strspn(text, " \t\r\n");
    if (*text != '\0')
        buf_put(out, ": ");
    buf_visible(out, text, strcspn(text, "\r\n"), false);
}

/* A shell that cannot run it says nothing of what it would have looked at. */
static void judge(const struct RunOk *ok, const struct Answer *answer, struct Reply *reply,
                  struct Buf *wrong)
{
    bool expected = answer->code == ok->exit;
    bool ran = expected || (answer->code != CANNOT_EXECUTE && answer->code != NOT_FOUND);
    const char *errors = command_errors(answer);
    *reply = (struct Reply){.outcome = OUTCOME_OK, .by = ""};
    if (!expected) {
        if (answer->code < 0)
            buf_printf(wrong, "ended by signal %d", -answer->code);
        else
            buf_printf(wrong, "exit status %d", answer->code);
        put_line(wrong, errors[strspn(errors, " \t\r\n")] != '\0' ? errors : answer->bytes);
        reply->outcome = ran ? OUTCOME_FAILED : OUTCOME_BROKEN;
        reply->failure = ran ? FAILURE_OTHER : FAILURE_NONE;
    } else if (ok->output != NULL && strstr(answer->bytes, ok->output) == NULL) {
        buf_printf(wrong, "the output lacks \"%s\"", ok->output);
        put_line(wrong, answer->bytes);
        reply->outcome = OUTCOME_FAILED;
        reply->failure = FAILURE_CONTENT;
    }
    reply->detail = wrong->text;
}

/* ---- attempts ---- */

static void on_answer(void *data, const struct Answer *answer)
{
    struct CommandSlot *slot = data;
    slot->call = NULL;
    struct Buf wrong = BUF(DETAIL_MOST);
    struct Reply reply;
    if (answer->end == CALL_ANSWERED)
        judge(slot->probe->config->ok, answer, &reply, &wrong);
    else
        reply = reply_of_end(answer);
    attempt_done(slot->attempt, &reply);
    buf_free(&wrong);
}

static void run_start(void *data, void *memory, struct Attempt *attempt)
{
    static const struct Reply too_many = {
        .outcome = OUTCOME_BROKEN, .by = "", .detail = "64 of these commands run already"};
    struct CommandProbe *probe = data;
    struct CommandSlot *slot = memory;
    *slot = (struct CommandSlot){.attempt = attempt, .probe = probe};
    if (commands_running(probe->commands) >= RUNNING_MAX)
        attempt_done(attempt, &too_many);
    else
        slot->call = commands_call(probe->commands, probe->script.text, attempt_deadline(attempt),
                                   on_answer, slot);
}

static void run_cancel(void *data, void *memory)
{
    (void)data;
    struct CommandSlot *slot = memory;
    if (slot->call != NULL)
        call_cancel(slot->call);
    slot->call = NULL;
}

/* ---- opening ---- */

static bool set(struct Buf *out, const char *before, const struct TextPair *pair, struct Err *err)
{
    bool secret = reference_is_whole(pair->value, "secret");
    if (!secret && reference_present(pair->value))
        return err_set(err, ERR_REFERENCE, NOWHERE, "`%s` has no value here", pair->value);
    buf_printf(out, "%s%s=", before, pair->name);
    shell_text(out, environment_secret(pair->value));
    buf_char(out, '\n');
    return true;
}

/* The values are set where the shell begins, and stand in no list of processes. */
static bool write_script(struct CommandProbe *probe, struct Err *err)
{
    const struct RunConfig *config = probe->config;
    const struct TextPair *variables = config->variables.items, *fillings = config->fillings.items;
    bool good = true, as_written = config->script == config->written;
    for (size_t n = 0; n < config->variables.count && good; n++)
        good = set(&probe->script, "export ", &variables[n], err);
    for (size_t n = 0; as_written && n < config->fillings.count && good; n++)
        good = set(&probe->script, "", &fillings[n], err);
    buf_put(&probe->script, as_written ? config->filled : config->script);
    if (good && probe->script.cut)
        return err_set(err, ERR_LIMIT, NOWHERE, "a command that is too long with its values");
    return good;
}

static void *run_open(const struct ProbeInput *input, struct Loop *loop, struct Err *err)
{
    const char *missing = commands_missing();
    if (missing != NULL) {
        err_set(err, ERR_NOT_READY, NOWHERE, "no command can be watched here: %s", missing);
        return NULL;
    }
    struct CommandProbe *probe = mem_zero(1, sizeof(*probe));
    probe->config = input->config;
    probe->script = BUF(4 * SCRIPT_MOST);
    probe->commands = commands_open(loop);
    if (write_script(probe, err))
        return probe;
    run_close(probe);
    return NULL;
}

static void run_close(void *data)
{
    struct CommandProbe *probe = data;
    commands_close(probe->commands);
    buf_free(&probe->script);
    mem_free(probe);
}
