/* approval.c - the signatures beside a plan, and whose they are. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "approval.h"
#include "gate.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/duration.h"
#include "../base/text.h"
#include "../transports/signature.h"

enum { SIGNATURES_MOST = 50, SAID_MOST = 3, HASH_SHOWN = 12 };

/* What the files beside a plan come to. */
struct Approvals {
    struct Drill *drill;
    const struct SavedPlan *plan;
    struct List names;    /* of const char *: each signer once */
    struct List troubles; /* of const char * */
    const char *revoked;  /* by whom, or NULL */
};

const char *approval_path(struct Drill *drill, const char *plan, const struct Buf *signature,
                          bool revoked)
{
    char hash[65];
    hash_hex(signature->text, signature->size, hash);
    return arena_printf(drill->cli->arena, "%s.%.*s.%s", plan, HASH_SHOWN, hash,
                        revoked ? "revoked" : "sig");
}

static void add_text(struct Drill *drill, struct List *list, const char *text)
{
    *(const char **)list_add(list, drill->cli->arena, sizeof(char *)) = text;
}

/* "ana@drillbox" and "ana@example.net" are one person. */
static bool same_person(const char *a, const char *b)
{
    size_t left = strcspn(a, "@"), right = strcspn(b, "@");
    return left == right && left > 0 && strncasecmp(a, b, left) == 0;
}

static bool is_operator(const struct Approvals *approvals, const char *signer)
{
    const char *behind = getenv("SUDO_USER");
    return same_person(signer, approvals->plan->who) ||
           same_person(signer, approvals->drill->who) ||
           (behind != NULL && same_person(signer, behind));
}

static void take_signer(struct Approvals *approvals, const char *file, const char *signer)
{
    struct Arena *arena = approvals->drill->cli->arena;
    const char *const *names = approvals->names.items;
    for (size_t at = 0; at < approvals->names.count; at++)
        if (same_person(names[at], signer))
            return;
    if (strpbrk(signer, "*?!,") != NULL)
        add_text(approvals->drill, &approvals->troubles,
                 arena_printf(arena, "%s is by %s, which is nobody's name", file, signer));
    else if (is_operator(approvals, signer))
        add_text(approvals->drill, &approvals->troubles,
                 arena_printf(arena, "%s is by %s, who made the plan or runs it", file, signer));
    else
        add_text(approvals->drill, &approvals->names, arena_text(arena, signer));
}

static void take_file(struct Approvals *approvals, const char *folder, const char *file)
{
    struct Arena *arena = approvals->drill->cli->arena;
    bool revokes = text_ends(file, ".revoked");
    const struct SavedPlan *plan = approvals->plan;
    const char *from = approvals->drill->loaded.environment->approvals->from;
    const struct Document *list = signers_read(approvals->drill, from);
    struct SignatureLook look = {.signers = from,
                                 .list = list != NULL ? list->text : NULL,
                                 .list_size = list != NULL ? list->size : 0,
                                 .space = revokes ? REVOCATION_SPACE : APPROVAL_SPACE,
                                 .signature = arena_printf(arena, "%s/%s", folder, file),
                                 .bytes = plan->document->text,
                                 .size = plan->document->size};
    char signer[128];
    struct Err err;
    enum SignatureEnd end = signature_check(&look, signer, &err);
    if (revokes && (end == SIGNATURE_UNASKED || access(look.signature, R_OK) != 0))
        approvals->revoked = arena_printf(arena, "%s, which cannot be looked at", file);
    else if (end != SIGNATURE_GOOD)
        add_text(approvals->drill, &approvals->troubles,
                 arena_printf(arena, "%s %s", file, err.message));
    else if (revokes)
        approvals->revoked = arena_text(arena, signer);
    else
        take_signer(approvals, file, signer);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void read_files(struct Approvals *approvals)
{
    struct Arena *arena = approvals->drill->cli->arena;
    const char *path = approvals->plan->path, *slash = strrchr(path, '/');
    const char *folder = slash == NULL ? "." : arena_bytes(arena, path, (size_t)(slash - path) + 1);
    const char *base = slash != NULL ? slash + 1 : path;
    struct List files = {.items = NULL};
    DIR *dir = opendir(folder);
    for (struct dirent *entry = dir ? readdir(dir) : NULL; entry != NULL; entry = readdir(dir))
        if (text_starts(entry->d_name, base) && entry->d_name[strlen(base)] == '.' &&
            (text_ends(entry->d_name, ".sig") || text_ends(entry->d_name, ".revoked")))
            add_text(approvals->drill, &files, arena_text(arena, entry->d_name));
    if (dir != NULL)
        closedir(dir);
    if (files.count > 0)
        qsort(files.items, files.count, sizeof(char *), by_text);
    const char *const *names = files.items;
    for (size_t at = 0; at < files.count && at < SIGNATURES_MOST; at++)
        take_file(approvals, folder, names[at]);
    if (files.count > SIGNATURES_MOST) /* a revocation may be among the rest */
        approvals->revoked = "more files beside it than are read";
}

static const char *too_old(const struct Approvals *approvals)
{
    int64_t valid_ns = approvals->drill->loaded.environment->approvals->valid_ns;
    int64_t age = wall_now().ns - approvals->plan->made.ns;
    char valid[32];
    duration_write(valid_ns, valid);
    if (valid_ns == 0 || (age >= 0 && age <= valid_ns))
        return NULL;
    return arena_printf(approvals->drill->cli->arena, "the plan was not made within %s", valid);
}

static const char *say(const struct Approvals *approvals, size_t need)
{
    struct Buf text = BUF(1000);
    const char *const *names = approvals->names.items;
    const char *const *troubles = approvals->troubles.items;
    buf_printf(&text, "%zu of %zu", approvals->names.count, need);
    for (size_t at = 0; at < approvals->names.count; at++)
        buf_printf(&text, "%s%s", at > 0 ? ", " : ": ", names[at]);
    for (size_t at = 0; at < approvals->troubles.count && at < SAID_MOST; at++)
        buf_printf(&text, "; %s", troubles[at]);
    const char *said = arena_text(approvals->drill->cli->arena, text.text);
    buf_free(&text);
    return said;
}

bool gate_approvals(struct Drill *drill, struct List *rules)
{
    const struct ApprovalsWanted *wanted = drill->loaded.environment->approvals;
    struct Arena *arena = drill->cli->arena;
    if (wanted == NULL)
        return true;
    if (drill->saved == NULL) {
        gate_add_rule(rules, arena, "approvals", false,
                      arena_printf(arena,
                                   "0 of %lld: faildrill plan, faildrill approve PLAN, faildrill "
                                   "run PLAN",
                                   (long long)wanted->need));
        return false;
    }
    struct Approvals approvals = {.drill = drill, .plan = drill->saved};
    read_files(&approvals);
    const char *old = too_old(&approvals);
    bool enough = approvals.names.count >= (size_t)wanted->need;
    const char *sentence = say(&approvals, (size_t)wanted->need);
    if (old != NULL)
        sentence = old;
    if (approvals.revoked != NULL)
        sentence = arena_printf(arena, "revoked by %s", approvals.revoked);
    bool holds = enough && old == NULL && approvals.revoked == NULL;
    gate_add_rule(rules, arena, "approvals", holds, sentence);
    return holds;
}
