/* run.c - a command of the user's own, with its own undo and proof. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "kinds.h"

struct RunConfig {
    const struct Node *target;
    const char *script, *undo, *proof;
    bool fault;
};

static bool run_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                     struct Procedure *out, struct Err *err);

static const struct Field run_fields[] = {
    {.name = "script",
     .type = FIELD_TEXT,
     .offset = offsetof(struct RunConfig, script),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED | FIELD_SCRIPT,
     .example = "systemctl reload nginx",
     .doc = "The text that the host's sh runs; plain work as the login user, a fault as root."},
    {.name = "target",
     .type = FIELD_ANY,
     .offset = offsetof(struct RunConfig, target),
     .flags = FIELD_REQUIRED | FIELD_ELSEWHERE,
     .example = "victim",
     .doc = "On which hosts: the name of a target, or a target written in place; `defaults` may "
            "say it for all."},
    {.name = "fault",
     .type = FIELD_BOOL,
     .offset = offsetof(struct RunConfig, fault),
     .fallback = "false",
     .example = "true",
     .doc = "It breaks something: then it has an undo and a proof, and a guard watches it."},
    {.name = "undo",
     .type = FIELD_TEXT,
     .offset = offsetof(struct RunConfig, undo),
     .flags = FIELD_SCRIPT,
     .example = "rm -f /srv/shop/maintenance",
     .doc = "Puts it back; must be right to run twice, and when the fault came only half-way."},
    {.name = "proof",
     .type = FIELD_TEXT,
     .offset = offsetof(struct RunConfig, proof),
     .flags = FIELD_SCRIPT,
     .example = "test -e /srv/shop/maintenance",
     .doc = "Reads only: exit status 0 while the fault is there, 1 when it is gone."},
    {.name = NULL}};

const struct FaultKind run_fault = {
    .name = "run",
    .summary = "a command of your own; with `fault: true` it has an undo and a proof",
    .reversal = REVERSAL_UNDO,
    .fills_late = true,
    .config = {.name = "run",
               .doc = "Runs a text in the host's sh.",
               .size = sizeof(struct RunConfig),
               .fields = run_fields},
    .plan = run_plan,
};

/* What it starts lives on without us: a guard is immune to the kernel's search for memory. */
static const char apart_text[] = "{ echo 0 >/proc/self/oom_score_adj; } 2>/dev/null\n"
                                 "unset FD_DIR FD_ID FD_PEER FD_PORT FD_LEASE\n"
                                 "cd / && exec sh -c \"$1\"\n";

/* Only a plain "no" is one: a proof that cannot be run, or hangs, says nothing. */
static const char clear_text[] = "sh -c \"$1\"\n"
                                 "case $? in\n"
                                 "0) exit 1 ;;\n"
                                 "1) exit 0 ;;\n"
                                 "*) exit 125 ;;\n"
                                 "esac\n";

static bool run_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                     struct Procedure *out, struct Err *err)
{
    const struct RunConfig *run = config;
    struct Procedure procedure = procedure_of(input, CLASS_STICKY);
    if (run->undo == NULL || run->proof == NULL) {
        err_set(err, ERR_NO_UNDO, input->target->where, "`run` with `fault: true` has no `%s`",
                run->undo == NULL ? "undo" : "proof");
        return err_hint(err, "Say how it is put back (`undo`) and how one sees it (`proof`).");
    }
    commands_add(&procedure.apply, arena, "the step's own command", 120, "sh", "-c", apart_text,
                 "run", run->script, NULL);
    commands_add(&procedure.undo, arena, "its undo", 120, "sh", "-c", apart_text, "run", run->undo,
                 NULL);
    commands_add(&procedure.in_place, arena, "its proof", 20, "sh", "-c", run->proof, NULL);
    commands_add(&procedure.all_clear, arena, "its proof says no", 20, "sh", "-c", clear_text,
                 "all-clear", run->proof, NULL);
    *out = procedure;
    return true;
}
