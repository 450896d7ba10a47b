/* plan_file.c - a plan as a file in the state folder: there whole, or not at all. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/text.h"
#include "inside.h"

static bool fail_errno(struct Err *err, const char *what, const char *name)
{
    return err_set(err, ERR_STORE, NOWHERE, "cannot %s the plan '%s': %s", what, name,
                   strerror(errno));
}

static bool write_all(int fd, const char *text)
{
    size_t size = strlen(text);
    for (size_t at = 0; at < size;) {
        ssize_t wrote = write(fd, text + at, size - at);
        if (wrote < 0 && errno != EINTR)
            return false;
        if (wrote > 0)
            at += (size_t)wrote;
    }
    return true;
}

/* The file's name is there only once its bytes are, and stays after a power cut. */
static bool write_file(int folder, const char *name, const char *text, struct Err *err)
{
    char draft[96];
    snprintf(draft, sizeof(draft), ".%s.%ld", name, (long)getpid());
    unlinkat(folder, draft, 0); /* of a process that died with our number */
    int fd = openat(folder, draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail_errno(err, "make", name);
    bool written = fchmod(fd, 0600) == 0 && write_all(fd, text) && fsync(fd) == 0;
    int code = errno;
    if (close(fd) != 0 && written) {
        code = errno;
        written = false;
    }
    if (written && renameat(folder, draft, folder, name) == 0) {
        if (fsync(folder) == 0)
            return true;
        code = errno;
    } else if (written) {
        code = errno;
    }
    unlinkat(folder, draft, 0);
    errno = code;
    return fail_errno(err, "write", name);
}

bool store_plan_save(struct Store *store, const struct Plan *plan, const char *text,
                     struct Err *err)
{
    if (plan->token.text[0] == '\0' || strpbrk(plan->token.text, "/.") != NULL)
        bug("'%s' is no token", plan->token.text);
    if (mkdirat(store->folder, "plans", 0700) != 0 && errno != EEXIST)
        return fail_errno(err, "make the folder of", plan->token.text);
    int folder = openat(store->folder, "plans", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0)
        return fail_errno(err, "open the folder of", plan->token.text);
    char name[64];
    snprintf(name, sizeof(name), "%s.json", plan->token.text);
    bool saved = fsync(store->folder) == 0 ? write_file(folder, name, text, err)
                                           : fail_errno(err, "keep the folder of", name);
    close(folder);
    return saved;
}
