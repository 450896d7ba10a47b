/* approve.c - `approve`: shows a plan, and signs it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"
#include "../transports/signature.h"
#include "approval.h"
#include "judge.h"

static const struct Option OPTIONS[] = {
    {.name = "key", .value = "FILE", .doc = "Signs with this ssh key; ~/.ssh/id_ed25519 else."},
    {.name = "confirm", .value = "NAME", .doc = "The environment's name, instead of typing it."},
    {.name = "revoke", .doc = "Takes an approval back: the plan does not run any more."},
    {.name = NULL},
};

/* All of it comes from the file that is signed; nothing in it may play with the terminal. */
static void put_line(struct Buf *out, const char *name, const char *text)
{
    buf_printf(out, "  %-12s", name);
    buf_visible(out, text, strlen(text), false);
    buf_char(out, '\n');
}

static void show(const struct Drill *drill, const struct SavedPlan *plan)
{
    struct Buf out = BUF(1U << 20);
    char made[48], until[48], hash[65];
    wall_local(plan->made, made);
    wall_local(plan->valid_until, until);
    hash_hex(plan->document->text, plan->document->size, hash);
    buf_printf(&out, "PLAN  %s\n", short_id(plan->token.text));
    put_line(&out, "scenario", plan->scenario_name);
    put_line(&out, "environment", loud(drill->cli->arena, plan->environment_name));
    put_line(&out, "made by", plan->who);
    put_line(&out, "made", made);
    put_line(&out, "valid until", until);
    const char *const *lines = plan->shows.items;
    for (size_t at = 0; at < plan->shows.count; at++) {
        buf_visible(&out, lines[at], strlen(lines[at]), false);
        buf_char(&out, '\n');
    }
    put_line(&out, "bytes", plan->bytes_hash);
    put_line(&out, "this file", hash);
    fwrite(out.text, 1, out.size, stderr);
    buf_free(&out);
}

static bool confirmed(struct Drill *drill, const struct SavedPlan *plan, bool revokes)
{
    struct Cli *cli = drill->cli;
    const char *name = cli_option(cli, "confirm");
    char typed[200];
    if (name == NULL && cli->may_ask) {
        fprintf(stderr, "Type the environment's name to %s: ",
                revokes ? "take the approval back" : "approve");
        fflush(stderr);
        if (fgets(typed, sizeof typed, stdin) != NULL) {
            typed[strcspn(typed, "\r\n")] = '\0';
            name = typed;
        }
    }
    return text_equal(name, plan->environment_name);
}

static const char *key_of(struct Cli *cli)
{
    const char *key = cli_option(cli, "key"), *home = getenv("HOME");
    return key != NULL ? key
                       : arena_printf(cli->arena, "%s/.ssh/id_ed25519", home != NULL ? home : "");
}

static int sign(struct Drill *drill, const struct SavedPlan *plan, bool revokes)
{
    struct Err err;
    struct Buf signature = BUF(16U << 10), out = BUF(2000);
    struct Buf text = BUF(plan->document->size + 1);
    buf_add(&text, plan->document->text, plan->document->size);
    bool ok = signature_make(key_of(drill->cli), revokes ? REVOCATION_SPACE : APPROVAL_SPACE, &text,
                             &signature, &err);
    const char *path = approval_path(drill, plan->path, &signature, revokes);
    ok = ok && file_write(path, &signature, &err);
    int status = ok ? 0 : cli_fail(drill->cli, &err);
    buf_printf(&out, "%s %s\n", revokes ? "revoked by" : "approved by", path);
    if (!revokes)
        buf_printf(&out, "Next: faildrill run %s, with this file beside the plan\n",
                   short_id(plan->token.text));
    status = ok ? cli_print(&out, status) : status;
    buf_free(&text);
    buf_free(&signature);
    buf_free(&out);
    return status;
}

static int approve(struct Drill *drill)
{
    struct Cli *cli = drill->cli;
    struct SavedPlan plan;
    struct Err err;
    bool revokes = cli_option(cli, "revoke") != NULL;
    enum Known known = drill_saved_plan(drill, cli->args[0], &plan, &err);
    if (known == KNOWN_NO) {
        err_set(&err, ERR_NOT_FOUND, NOWHERE, "there is no plan '%s'", cli->args[0]);
        err_hint(&err, "faildrill plan -o FILE writes one that travels.");
    }
    if (known != KNOWN_YES)
        return cli_fail(cli, &err);
    show(drill, &plan);
    if (wall_now().ns > plan.valid_until.ns && !revokes) {
        err_set(&err, ERR_REFUSED, NOWHERE, "plan %s is no longer valid",
                short_id(plan.token.text));
        return cli_fail(cli, &err);
    }
    if (!confirmed(drill, &plan, revokes)) {
        err_set(&err, ERR_REFUSED, NOWHERE, "not confirmed");
        err_hint(&err, "Type the environment's name, or say --confirm %s.", plan.environment_name);
        return cli_fail(cli, &err);
    }
    return sign(drill, &plan, revokes);
}

static int verb(struct Cli *cli)
{
    return drill_open_for(cli, approve);
}

const struct Verb verb_approve = {
    .name = "approve",
    .takes = "PLAN",
    .least = 1,
    .most = 1,
    .summary = "shows a plan and signs it; plan and signature are files that travel",
    .options = OPTIONS,
    .examples = "  faildrill approve 4k2p --key ~/.ssh/id_ed25519\n"
                "  faildrill approve ./plan.json      one that came from another machine\n"
                "  faildrill approve --revoke 4k2p    it does not run any more\n",
    .next = "Next: faildrill run PLAN",
    .run = verb,
};
