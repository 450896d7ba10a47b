/* from_git.c - the files of a drill are those of a branch, byte for byte. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../base/text.h"
#include "../transports/process.h"
#include "gate.h"

#define GIT_WITHIN_NS (10 * NS_PER_S)

enum { FILE_MOST = 1 << 20 };

static const char *folder_of(const char *path, struct Arena *arena)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return ".";
    return slash == path ? "/" : arena_bytes(arena, path, (size_t)(slash - path));
}

static bool git(struct Drill *drill, const char *path, const char *const words[3], struct Buf *out,
                struct Err *err)
{
    const char *argv[] = {"git",    "-C", folder_of(path, drill->cli->arena), words[0], words[1],
                          words[2], NULL};
    return process_output(argv, out, mono_add(mono_now(), GIT_WITHIN_NS), err);
}

/* NULL where the file is what the branch has; else a sentence that says what it is. */
static const char *difference(struct Drill *drill, const char *branch,
                              const struct Document *document)
{
    struct Arena *arena = drill->cli->arena;
    struct Err err;
    struct Buf text = BUF(FILE_MOST);
    const char *slash = strrchr(document->path, '/');
    const char *name = slash != NULL ? slash + 1 : document->path;
    const char *commit = arena_printf(arena, "%s^{commit}", branch);
    const char *said = NULL;
    if (!git(drill, document->path, (const char *const[]){"rev-parse", "--git-dir", NULL}, &text,
             &err))
        said = arena_printf(arena, "%s is in no git repository, or git cannot be asked: %s",
                            document->path, err.message);
    else if (!git(drill, document->path, (const char *const[]){"rev-parse", "--verify", commit},
                  &text, &err))
        said = arena_printf(arena, "there is no branch %s here", branch);
    buf_clear(&text);
    const char *blob = arena_printf(arena, "%s:./%s", branch, name);
    if (said == NULL &&
        !git(drill, document->path, (const char *const[]){"cat-file", "blob", blob}, &text, &err))
        said = arena_printf(arena, "%s is not in %s", document->path, branch);
    else if (said == NULL &&
             (text.size != document->size || memcmp(text.text, document->text, text.size) != 0))
        said = arena_printf(arena, "%s is not as in %s: commit it there, or take it from there",
                            document->path, branch);
    buf_free(&text);
    return said;
}

/* Who may sign is as much a rule as the environment's own: where its list lies in the project. */
static const char *list_difference(struct Drill *drill, const char *branch, const char *path)
{
    struct Buf text = BUF(FILE_MOST);
    if (path == NULL || !text_starts(path, drill->cli->project.dir))
        return NULL;
    const char *said = NULL;
    if (file_read(path, &text))
        said = difference(drill, branch,
                          &(struct Document){.path = path, .text = text.text, .size = text.size});
    else
        said = arena_printf(drill->cli->arena, "%s cannot be read", path);
    buf_free(&text);
    return said;
}

static const char *any_difference(struct Drill *drill, const char *branch, size_t *equal)
{
    const struct Environment *environment = drill->loaded.environment;
    const struct Document *const *documents = drill->cli->documents.items;
    const char *said = NULL;
    /* The first is the project's own file, where there is one: it says where the others are. */
    for (size_t at = drill->cli->project.path != NULL ? 1 : 0;
         at < drill->cli->documents.count && said == NULL; at++, (*equal)++)
        said = difference(drill, branch, documents[at]);
    if (said == NULL && environment->passed_in != NULL)
        said = list_difference(drill, branch, environment->passed_in->signed_by);
    if (said == NULL && environment->approvals != NULL)
        said = list_difference(drill, branch, environment->approvals->from);
    return said;
}

bool gate_from_git(struct Drill *drill, struct List *rules)
{
    struct Arena *arena = drill->cli->arena;
    const char *branch = drill->loaded.environment->from_git;
    size_t equal = 0;
    if (branch == NULL)
        return true;
    const char *said = any_difference(drill, branch, &equal);
    bool holds = said == NULL;
    gate_add_rule(rules, arena, "from_git", holds,
                  holds ? arena_printf(arena, "%s, %zu files equal", branch, equal) : said);
    return holds;
}
