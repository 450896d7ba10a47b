/* files.c - what the faults that put one file in the place of another have in common. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include <string.h>

#include "../base/text.h"

#define PATH_MOST 1024

const char files_kept[] =
    "/bin /boot /dev /etc/environment /etc/fstab /etc/group /etc/gshadow /etc/hosts.allow "
    "/etc/hosts.deny /etc/ld.so.cache /etc/ld.so.conf /etc/ld.so.preload /etc/machine-id "
    "/etc/nsswitch.conf /etc/pam.conf /etc/pam.d /etc/passwd /etc/profile /etc/security "
    "/etc/shadow /etc/shells /etc/ssh /etc/sudoers /etc/sudoers.d /lib /lib32 /lib64 /proc "
    "/run/faildrill /run/motd.d /sbin /sys /usr/bin /usr/lib /usr/lib32 /usr/lib64 /usr/libexec "
    "/usr/sbin";

static bool is_kept(const char *path)
{
    for (const char *at = files_kept; *at != '\0';) {
        size_t size = strcspn(at, " ");
        if (strncmp(path, at, size) == 0 && (path[size] == '\0' || path[size] == '/'))
            return true;
        at += size;
        at += *at == ' ';
    }
    return strstr(path, "/.ssh/") != NULL;
}

static const char *source_fault(const char *path)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789_./@%+,:=~-";
    if (path[0] != '/' || path[1] == '\0' || text_ends(path, "/"))
        return "it must be the absolute path of a file";
    if (strlen(path) > PATH_MOST || path[strspn(path, letters)] != '\0')
        return "such a path has letters, digits and _./@%+,:=~- only";
    if (strstr(path, "/../") != NULL || text_ends(path, "/..") || strstr(path, "//") != NULL)
        return "it must lead there straight";
    return NULL;
}

const char *files_path_fault(const char *path)
{
    const char *why = source_fault(path);
    if (why == NULL && is_kept(path))
        why = "our own way to the host, or its undo, needs it";
    return why;
}

const char *files_text(const char *text, struct Arena *arena)
{
    return *text == '\0' || text_ends(text, "\n") ? text : arena_printf(arena, "%s\n", text);
}

static struct Where place_of(const struct Node *node, const char *key)
{
    const struct Node *item = node_get(node, key);
    return item != NULL ? item->where : node->where;
}

void files_check_path(const struct Node *node, const char *key, const char *path,
                      struct Decode *decode)
{
    const char *why = reference_present(path) ? NULL : files_path_fault(path);
    if (why != NULL)
        problems_say(decode->problems, ERR_VALUE, place_of(node, key), NULL,
                     "no fault may change '%s': %s", path, why);
}

#define SOURCE_WORDS "'%s' cannot be read: %s"

void files_check_source(const struct Node *node, const char *key, const char *path,
                        struct Decode *decode)
{
    const char *why = reference_present(path) ? NULL : source_fault(path);
    if (why != NULL)
        problems_say(decode->problems, ERR_VALUE, place_of(node, key), NULL, SOURCE_WORDS, path,
                     why);
}

bool files_source_is_good(const char *path, const struct PlanInput *input, struct Err *err)
{
    const char *why = source_fault(path);
    return why == NULL || err_set(err, ERR_VALUE, input->target->where, SOURCE_WORDS, path, why);
}

void files_check_text(const struct Node *node, const char *key, const char *text,
                      struct Decode *decode)
{
    if (text != NULL && strchr(text, '\r') != NULL)
        problems_say(decode->problems, ERR_VALUE, place_of(node, key),
                     "End its lines with \\n alone.", "`%s` holds a carriage return", key);
}

bool files_path_is_good(const char *path, const struct PlanInput *input, struct Err *err)
{
    const char *why = files_path_fault(path);
    return why == NULL ||
           err_set(err, ERR_VALUE, input->target->where, "no fault may change '%s': %s", path, why);
}
