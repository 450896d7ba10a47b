/* project.c - finds the project file and what it names. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "project.h"

#include "../base/text.h"
#include "file_rules.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CLIMB_MOST = 64, FILES_MOST = 10000, NAMES_MOST = 256 };
static const char *const NAMES[] = {"faildrill.yaml", ".faildrill.yaml"};

static const struct Field FIELDS[] = {
    {.name = "project",
     .type = FIELD_TEXT,
     .offset = offsetof(struct Project, name),
     .flags = FIELD_REQUIRED,
     .example = "shop",
     .doc = "The name of the project."},
    {.name = "scenarios",
     .type = FIELD_LIST,
     .offset = offsetof(struct Project, scenarios),
     .fallback = "[scenarios]",
     .example = "[drills]",
     .doc = "Folders with scenarios, beside the project file or absolute."},
    {.name = "environments",
     .type = FIELD_LIST,
     .offset = offsetof(struct Project, environments),
     .fallback = "[environments, scenarios/environments]",
     .example = "[environments]",
     .doc = "Folders with environments, beside the project file or absolute."},
    {.name = "receipts",
     .type = FIELD_LIST,
     .offset = offsetof(struct Project, receipts),
     .fallback = "[receipts]",
     .min = 1,
     .max = 50,
     .example = "[receipts]",
     .doc = "Folders with signed passes, beside the project file or absolute; new ones go into the "
            "first."},
    {.name = "state",
     .type = FIELD_TEXT,
     .offset = offsetof(struct Project, state),
     .example = "/var/lib/faildrill",
     .doc = "Where runs and their history are kept; default: .faildrill beside the project file."},
    {.name = "notify",
     .type = FIELD_RECORD,
     .offset = offsetof(struct Project, notify),
     .of = &NOTIFY_RECORD,
     .example = "{slack: {url: \"${secret.slack}\"}}",
     .doc = "Who is told of every drill; secrets are those of its environment."},
    {.name = NULL},
};
const struct Record PROJECT_RECORD = {
    .name = "project",
    .doc = "Where scenarios, environments and the history are.",
    .size = sizeof(struct Project),
    .fields = FIELDS,
};

/* ---- The project file. ---- */
static bool is_file(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* The project file at or above `dir`, not beyond the folder that holds .git; NULL where none is. */
static const char *climb(const char *dir, struct Arena *arena)
{
    char *at = arena_text(arena, dir);
    for (int i = 0; i < CLIMB_MOST; i++) {
        const char *base = text_equal(at, "/") ? "" : at;
        for (size_t k = 0; k < COUNT_OF(NAMES); k++) {
            const char *path = arena_printf(arena, "%s/%s", base, NAMES[k]);
            if (is_file(path))
                return path;
        }
        char *slash = strrchr(at, '/');
        if (exists(arena_printf(arena, "%s/.git", base)) || slash == NULL || at[1] == '\0')
            return NULL;
        slash[slash == at ? 1 : 0] = '\0';
    }
    return NULL;
}

static char *folder_of(const char *path, struct Arena *arena)
{
    const char *slash = strrchr(path, '/');
    return slash == path ? arena_text(arena, "/")
                         : arena_bytes(arena, path, (size_t)(slash - path));
}

/* `path` as people would write it here: without the folder that they stand in. */
static const char *shorter(const char *path, const char *here, struct Arena *arena)
{
    size_t size = strlen(here);
    bool inside = text_starts(path, here) && path[size] == '/' && size > 1;
    return inside ? arena_text(arena, path + size + 1) : path;
}

bool project_find(const char *start, struct Arena *arena, struct List *documents,
                  struct Problems *problems, struct Project *out)
{
    char start_path[PATH_MAX], here[PATH_MAX];
    *out = (struct Project){.name = NULL};
    if (realpath(start, start_path) == NULL || realpath(".", here) == NULL) {
        problems_say(problems, ERR_FILE, NOWHERE, NULL, "%s: %s", start, strerror(errno));
        return false;
    }
    const char *path = climb(start_path, arena);
    struct Decode decode = {.arena = arena, .problems = problems};
    const struct Document *document;
    if (path == NULL) { /* the defaults, by the code that reads a file */
        static const char NONE[] = "project: none\n";
        document = document_parse("defaults", NONE, strlen(NONE), arena, problems);
    } else {
        document = document_read(shorter(path, here, arena), arena, problems);
        *(const struct Document **)list_add(documents, arena, sizeof document) = document;
    }
    if (document->root == NULL || !decode_record(&decode, document->root, &PROJECT_RECORD, out))
        return false;
    out->path = path;
    out->dir = path != NULL ? folder_of(path, arena) : arena_text(arena, start_path);
    if (path == NULL)
        out->name = NULL;
    return true;
}

/* ---- Files by name. ---- */
static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Appends every *.yaml and *.yml of a folder, as paths from where one stands. */
static void list_folder(const struct Project *project, const char *folder, struct Arena *arena,
                        struct List *paths)
{
    char here[PATH_MAX];
    const char *full =
        folder[0] == '/' ? folder : arena_printf(arena, "%s/%s", project->dir, folder);
    DIR *dir = opendir(full);
    if (dir == NULL || realpath(".", here) == NULL) {
        if (dir != NULL)
            closedir(dir);
        return;
    }
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        bool yaml = text_ends(entry->d_name, ".yaml") || text_ends(entry->d_name, ".yml");
        if (entry->d_name[0] == '.' || !yaml || paths->count >= FILES_MOST)
            continue;
        const char **slot = list_add(paths, arena, sizeof *slot);
        *slot = shorter(arena_printf(arena, "%s/%s", full, entry->d_name), here, arena);
    }
    closedir(dir);
}

static void list_folders(const struct Project *project, const struct List *folders,
                         struct Arena *arena, struct List *paths)
{
    size_t before = paths->count;
    const char *const *folder = folders->items;
    for (size_t i = 0; i < folders->count; i++)
        list_folder(project, folder[i], arena, paths);
    if (paths->count > before)
        qsort((const char **)paths->items + before, paths->count - before, sizeof(char *), by_text);
}

void project_scenarios(const struct Project *project, struct Arena *arena, struct List *paths)
{
    list_folders(project, &project->scenarios, arena, paths);
}

void project_environments(const struct Project *project, struct Arena *arena, struct List *paths)
{
    list_folders(project, &project->environments, arena, paths);
}

/* "scenarios/redis-dies.yaml" -> "redis-dies". */
static const char *stem_of(const char *path, struct Arena *arena)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    return arena_bytes(arena, base, dot != NULL ? (size_t)(dot - base) : strlen(base));
}

static bool look_up(const struct List *paths, const char *what, const char *name,
                    struct Arena *arena, const char **out, struct Err *err)
{
    const char *const *path = paths->items;
    if (strchr(name, '/') != NULL || text_ends(name, ".yaml") || text_ends(name, ".yml")) {
        if (!exists(name))
            return err_set(err, ERR_NOT_FOUND, NOWHERE, "%s: %s", name, strerror(errno));
        *out = arena_text(arena, name);
        return true;
    }
    const char *names[NAMES_MOST];
    size_t count = 0;
    for (size_t i = 0; i < paths->count; i++) {
        if (file_is_named(path[i], name)) {
            *out = path[i];
            return true;
        }
        if (count < NAMES_MOST)
            names[count++] = stem_of(path[i], arena);
    }
    err_set(err, ERR_NOT_FOUND, NOWHERE, "there is no %s '%s'", what, name);
    for (size_t i = 0; i < count; i++)
        err_allow(err, names[i]);
    const char *nearest = text_nearest(name, names, count);
    if (nearest != NULL)
        return err_hint(err, "did you mean `%s`?", nearest);
    return err_hint(err, "a name is that of a file in the project's folders; else give a path");
}

bool project_scenario(const struct Project *project, const char *name, struct Arena *arena,
                      const char **path, struct Err *err)
{
    struct List paths = {.items = NULL};
    project_scenarios(project, arena, &paths);
    return look_up(&paths, "scenario", name, arena, path, err);
}

bool project_environment(const struct Project *project, const char *name, struct Arena *arena,
                         const char **path, struct Err *err)
{
    struct List paths = {.items = NULL};
    project_environments(project, arena, &paths);
    return look_up(&paths, "environment", name, arena, path, err);
}

static bool lies_in(const char *path, const char *folder)
{
    size_t size = strlen(folder);
    return text_starts(path, folder) && (path[size] == '/' || text_equal(folder, "/"));
}

bool project_file(const struct Project *project, const char *beside, const char *name,
                  struct Arena *arena, const char **path, struct Err *err)
{
    char from[PATH_MAX], full[PATH_MAX], home[PATH_MAX], here[PATH_MAX];
    if (name[0] == '/' || name[0] == '\0')
        return err_set(err, ERR_FILE, NOWHERE, "'%s' is no path from this file on", name);
    if (realpath(beside, from) == NULL || realpath(project->dir, home) == NULL ||
        realpath(".", here) == NULL)
        return err_set(err, ERR_FILE, NOWHERE, "%s: %s", beside, strerror(errno));
    const char *folder = folder_of(from, arena);
    if (realpath(arena_printf(arena, "%s/%s", folder, name), full) == NULL)
        return err_set(err, ERR_NOT_FOUND, NOWHERE, "'%s': %s", name, strerror(errno));
    if (!lies_in(full, folder) && !lies_in(full, home))
        return err_set(err, ERR_FILE, NOWHERE,
                       "'%s' lies outside of the project and of this file's folder", name);
    *path = arena_text(arena, shorter(full, here, arena));
    return true;
}

/* ---- State. ---- */
static const char *from_here(const char *path, struct Arena *arena)
{
    char here[PATH_MAX];
    if (path[0] == '/' || realpath(".", here) == NULL)
        return arena_text(arena, path);
    return arena_printf(arena, "%s/%s", here, path);
}

static const char *set_in_environment(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

const char *project_state(const struct Project *project, const char *option, struct Arena *arena)
{
    const char *by_variable = set_in_environment("FAILDRILL_STATE");
    const char *xdg = set_in_environment("XDG_STATE_HOME"), *home = set_in_environment("HOME");
    if (option != NULL)
        return from_here(option, arena);
    if (by_variable != NULL)
        return from_here(by_variable, arena);
    if (project->state != NULL && project->state[0] == '/')
        return project->state;
    if (project->path != NULL)
        return arena_printf(arena, "%s/%s", project->dir,
                            project->state != NULL ? project->state : ".faildrill");
    if (xdg != NULL && xdg[0] == '/')
        return arena_printf(arena, "%s/faildrill", xdg);
    return arena_printf(arena, "%s/.local/state/faildrill", home != NULL ? home : project->dir);
}
