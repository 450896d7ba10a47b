/* from_git.c - the files of a drill are those of a branch, byte for byte. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
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

/* Asks git of the file's folder, with an environment of its own: GIT_DIR and its like would say
 * where the branch is. What `git replace` puts in an object's place counts for nothing. */
static bool git(struct Drill *drill, const char *path, const char *const words[3], struct Buf *out,
                struct Err *err)
{
    struct Arena *arena = drill->cli->arena;
    const char *home = getenv("HOME"), *folders = getenv("PATH"), *user = getenv("SUDO_UID");
    const char *argv[] = {
        "env",
        "-i",
        arena_printf(arena, "HOME=%s", home != NULL ? home : "/"),
        arena_printf(arena, "PATH=%s", folders != NULL ? folders : "/usr/bin:/bin"),
        arena_printf(arena, "SUDO_UID=%s", user != NULL ? user : ""), /* whose clone root may use */
        "git",
        "--no-replace-objects",
        "-C",
        folder_of(path, arena),
        words[0],
        words[1],
        words[2],
        NULL};
    buf_clear(out);
    return process_output(argv, out, mono_add(mono_now(), GIT_WITHIN_NS), err);
}

/* The commit that the branch is at, NULL where there is none; *ref is what was asked for: what was
 * last fetched of `origin`, where the repository has one, which a commit made here does not move;
 * else the branch itself. Never a tag. */
static const char *commit_of(struct Drill *drill, const char *branch, const char *path,
                             const char **ref)
{
    struct Arena *arena = drill->cli->arena;
    struct Buf text = BUF(FILE_MOST);
    struct Err err;
    *ref = "answer of `git remote`";
    if (!git(drill, path, (const char *const[]){"remote", NULL, NULL}, &text, &err)) {
        buf_free(&text);
        return NULL;
    }
    const char *remotes = arena_printf(arena, "\n%s", text.text);
    bool origin = strstr(remotes, "\norigin\n") != NULL;
    *ref = arena_printf(arena, "refs/%s/%s", origin ? "remotes/origin" : "heads", branch);
    const char *commit = arena_printf(arena, "%s^{commit}", *ref);
    bool found =
        git(drill, path, (const char *const[]){"rev-parse", "--verify", commit}, &text, &err);
    const char *hash = found ? arena_bytes(arena, text.text, strcspn(text.text, "\n")) : NULL;
    buf_free(&text);
    return hash;
}

/* NULL where the file is what the branch has; else a sentence that says what it is. */
static const char *difference(struct Drill *drill, const char *branch,
                              const struct Document *document, const char **ref)
{
    struct Arena *arena = drill->cli->arena;
    struct Err err;
    struct Buf text = BUF(FILE_MOST);
    const char *path = document->path, *slash = strrchr(path, '/');
    const char *said = NULL, *commit = NULL;
    if (!git(drill, path, (const char *const[]){"rev-parse", "--git-dir", NULL}, &text, &err))
        said = arena_printf(arena, "%s is in no git repository, or git cannot be asked: %s", path,
                            err.message);
    else if ((commit = commit_of(drill, branch, path, ref)) == NULL)
        said = arena_printf(arena, "there is no branch %s here: no %s", branch, *ref);
    const char *blob = arena_printf(arena, "%s:./%s", commit != NULL ? commit : "",
                                    slash != NULL ? slash + 1 : path);
    if (said == NULL &&
        !git(drill, path, (const char *const[]){"cat-file", "blob", blob}, &text, &err))
        said = arena_printf(arena, "%s is not in %s", path, *ref);
    else if (said == NULL &&
             (text.size != document->size || memcmp(text.text, document->text, text.size) != 0))
        said = arena_printf(arena, "%s is not as in %s: commit it there, or take it from there",
                            path, *ref);
    buf_free(&text);
    return said;
}

/* Who may sign is as much a rule as the environment's own: where its list lies in the project. */
static const char *list_difference(struct Drill *drill, const char *branch, const char *path,
                                   const char **ref)
{
    if (path == NULL || !text_starts(path, drill->cli->project.dir))
        return NULL;
    const struct Document *list = signers_read(drill, path);
    return list != NULL ? difference(drill, branch, list, ref)
                        : arena_printf(drill->cli->arena, "%s cannot be read", path);
}

static const char *any_difference(struct Drill *drill, const char *branch, size_t *equal,
                                  const char **ref)
{
    const struct Environment *environment = drill->loaded.environment;
    const struct Document *const *documents = drill->cli->documents.items;
    const char *said = NULL;
    /* The first is the project's own file, where there is one: it says where the others are. */
    for (size_t at = drill->cli->project.path != NULL ? 1 : 0;
         at < drill->cli->documents.count && said == NULL; at++, (*equal)++)
        said = difference(drill, branch, documents[at], ref);
    if (said == NULL && environment->passed_in != NULL)
        said = list_difference(drill, branch, environment->passed_in->signed_by, ref);
    if (said == NULL && environment->approvals != NULL)
        said = list_difference(drill, branch, environment->approvals->from, ref);
    return said;
}

bool gate_from_git(struct Drill *drill, struct List *rules)
{
    struct Arena *arena = drill->cli->arena;
    const char *branch = drill->loaded.environment->from_git;
    size_t equal = 0;
    if (branch == NULL)
        return true;
    const char *ref = branch;
    const char *said = any_difference(drill, branch, &equal, &ref);
    bool holds = said == NULL;
    gate_add_rule(rules, arena, "from_git", holds,
                  holds ? arena_printf(arena, "%s, %zu files equal", ref, equal) : said);
    return holds;
}
