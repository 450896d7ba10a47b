/* from_git.c - the files of a drill are those of a branch, byte for byte. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/text.h"
#include "../transports/process.h"
#include "gate.h"

#define GIT_WITHIN_NS (10 * NS_PER_S)

enum { FILE_MOST = 1 << 20, WORDS = 5, FILES_MOST = 200, DEPTH_MOST = 8 };

static const char *folder_of(const char *path, struct Arena *arena)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return ".";
    return slash == path ? "/" : arena_bytes(arena, path, (size_t)(slash - path));
}

/* Asks git of the file's folder, with an environment of its own: GIT_DIR and its like would say
 * where the branch is. What `git replace` puts in an object's place counts for nothing. */
static bool git(struct Drill *drill, const char *path, const char *const words[WORDS],
                struct Buf *out, struct Err *err)
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
        words[3],
        words[4],
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
    if (!git(drill, path, (const char *const[WORDS]){"remote"}, &text, &err)) {
        buf_free(&text);
        return NULL;
    }
    const char *remotes = arena_printf(arena, "\n%s", text.text);
    bool origin = strstr(remotes, "\norigin\n") != NULL;
    *ref = arena_printf(arena, "refs/%s/%s", origin ? "remotes/origin" : "heads", branch);
    const char *commit = arena_printf(arena, "%s^{commit}", *ref);
    bool found =
        git(drill, path, (const char *const[WORDS]){"rev-parse", "--verify", commit}, &text, &err);
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
    if (!git(drill, path, (const char *const[WORDS]){"rev-parse", "--git-dir"}, &text, &err))
        said = arena_printf(arena, "%s is in no git repository, or git cannot be asked: %s", path,
                            err.message);
    else if ((commit = commit_of(drill, branch, path, ref)) == NULL)
        said = arena_printf(arena, "there is no branch %s here: no %s", branch, *ref);
    const char *blob = arena_printf(arena, "%s:./%s", commit != NULL ? commit : "",
                                    slash != NULL ? slash + 1 : path);
    if (said == NULL &&
        !git(drill, path, (const char *const[WORDS]){"cat-file", "blob", blob}, &text, &err))
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

/* ---- What the inventory's command reads. ---- */

struct Walk {
    struct Drill *drill;
    const char *branch, **ref;
    size_t *equal;
};

static const char *file_difference(const struct Walk *walk, const char *path)
{
    struct Arena *arena = walk->drill->cli->arena;
    struct Buf text = BUF(FILE_MOST);
    struct stat about;
    const char *said = arena_printf(arena, "%s cannot be read, or is no file", path);
    if (stat(path, &about) == 0 && S_ISREG(about.st_mode) && file_read(path, &text)) {
        struct Document document = {.path = path, .text = text.text, .size = text.size};
        said = difference(walk->drill, walk->branch, &document, walk->ref);
        *walk->equal += said == NULL ? 1 : 0;
    }
    buf_free(&text);
    return said;
}

static bool is_folder(const char *path)
{
    struct stat about;
    return lstat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/* Every file in it is of the branch; *files counts them. */
static const char *files_difference(const struct Walk *walk, const char *folder, size_t depth,
                                    size_t *files)
{
    struct Arena *arena = walk->drill->cli->arena;
    const char *said = NULL;
    DIR *dir = opendir(folder);
    if (dir == NULL || depth == DEPTH_MOST) {
        if (dir != NULL)
            closedir(dir);
        return arena_printf(arena, "%s cannot be read, or is too deep", folder);
    }
    for (struct dirent *entry; said == NULL && (entry = readdir(dir)) != NULL;) {
        const char *path = arena_printf(arena, "%s/%s", folder, entry->d_name);
        if (text_equal(entry->d_name, ".") || text_equal(entry->d_name, "..") ||
            text_equal(entry->d_name, ".git"))
            continue;
        if (is_folder(path))
            said = files_difference(walk, path, depth + 1, files);
        else if (++*files > FILES_MOST)
            said = arena_printf(arena, "%s holds more than %d files", folder, FILES_MOST);
        else
            said = file_difference(walk, path);
    }
    closedir(dir);
    return said;
}

/* And the branch has no other: then they are the same ones. */
static const char *folder_difference(const struct Walk *walk, const char *folder)
{
    struct Arena *arena = walk->drill->cli->arena;
    const char *inside = arena_printf(arena, "%s/.", folder), *commit;
    struct Buf names = BUF(FILE_MOST);
    struct Err err;
    size_t files = 0, lines = 0;
    const char *said = files_difference(walk, folder, 0, &files);
    if (said == NULL && (commit = commit_of(walk->drill, walk->branch, inside, walk->ref)) == NULL)
        said = arena_printf(arena, "there is no branch %s in %s", walk->branch, folder);
    else if (said == NULL &&
             !git(walk->drill, inside,
                  (const char *const[WORDS]){"ls-tree", "-r", "--name-only", commit}, &names, &err))
        said = arena_printf(arena, "%s: %s", folder, err.message);
    for (const char *at = names.text; said == NULL && (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    buf_free(&names);
    if (said == NULL && lines != files)
        said = arena_printf(arena, "%s lacks a file that %s has: take it from there", folder,
                            *walk->ref);
    return said;
}

static const char *path_difference(const struct Walk *walk, const char *path)
{
    static const char *const beside[] = {"group_vars", "host_vars"};
    struct Arena *arena = walk->drill->cli->arena;
    if (is_folder(path))
        return folder_difference(walk, path);
    const char *said = file_difference(walk, path);
    for (size_t at = 0; at < COUNT_OF(beside) && said == NULL; at++) {
        const char *vars = arena_printf(arena, "%s/%s", folder_of(path, arena), beside[at]);
        said = is_folder(vars) ? folder_difference(walk, vars) : NULL;
    }
    return said;
}

/* The file or folder of the project that a word of the command names, or NULL: PATH, -iPATH,
 * --inventory=PATH. */
static const char *path_of(const struct Drill *drill, const char *word)
{
    struct Arena *arena = drill->cli->arena;
    const char *home = drill->cli->project.dir, *equals = strchr(word, '=');
    char full[PATH_MAX];
    if (text_starts(word, "--"))
        word = equals != NULL ? equals + 1 : "";
    else if (word[0] == '-')
        word += word[1] != '\0' ? 2 : 1;
    const char *path = word[0] == '/' ? word : arena_printf(arena, "%s/%s", home, word);
    size_t size = strlen(home);
    if (word[0] == '\0' || realpath(path, full) == NULL || !text_starts(full, home) ||
        full[size] != '/')
        return NULL;
    return path;
}

/* Who a role is, is as much a rule: where its inventory lies in the project, and ansible.cfg,
 * which says where else to look. */
static const char *inventory_difference(const struct Walk *walk)
{
    const struct List *command = &walk->drill->loaded.environment->inventory;
    const char *const *words = command->items, *said = NULL;
    const char *settings = command->count > 0 ? path_of(walk->drill, "ansible.cfg") : NULL;
    if (settings != NULL)
        said = file_difference(walk, settings);
    for (size_t at = 0; at < command->count && said == NULL; at++) {
        const char *path = path_of(walk->drill, words[at]);
        said = path != NULL ? path_difference(walk, path) : NULL;
    }
    return said;
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
    if (said == NULL)
        said = inventory_difference(&(struct Walk){drill, branch, ref, equal});
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
