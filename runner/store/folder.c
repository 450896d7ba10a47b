/* folder.c - the state folder and the database's files belong to us and are open to nobody else. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inside.h"

static bool fail_errno(struct Err *err, const char *what, const char *path)
{
    return err_set(err, ERR_STORE, NOWHERE, "cannot %s '%s': %s", what, path, strerror(errno));
}

/* With the folders above it; an umask like 0277 takes nothing away from us. */
static bool make_folder(const char *path, struct Err *err)
{
    bool made = mkdir(path, 0700) == 0;
    const char *slash = strrchr(path, '/');
    if (!made && errno == ENOENT && slash != NULL && slash != path) {
        struct Buf above = BUF(PATH_MAX);
        buf_add(&above, path, (size_t)(slash - path));
        bool ok = make_folder(above.text, err);
        buf_free(&above);
        if (!ok)
            return false;
        made = mkdir(path, 0700) == 0;
    }
    if (made ? chmod(path, 0700) == 0 : errno == EEXIST)
        return true;
    return fail_errno(err, "make the state folder", path);
}

static bool check_owner(const struct stat *stat, const char *path, struct Err *err)
{
    if (stat->st_uid == geteuid())
        return true;
    err_set(err, ERR_STORE, NOWHERE, "'%s' belongs to user %u, and we are user %u", path,
            (unsigned)stat->st_uid, (unsigned)geteuid());
    return err_hint(err, "Run it as that user, or give a folder of your own with --state.");
}

static bool check_folder(int folder, const char *path, struct Err *err)
{
    struct stat stat;
    if (fstat(folder, &stat) != 0)
        return fail_errno(err, "look at", path);
    if (!check_owner(&stat, path, err))
        return false;
    if ((stat.st_mode & 022) == 0)
        return true;
    err_set(err, ERR_STORE, NOWHERE, "others may write into the state folder '%s'", path);
    return err_hint(err, "Look at what is in it, then run `chmod go-w %s`.", path);
}

/* Never opened and closed here where it may be in use: closing a file drops every lock that this
 * process holds on it. */
static bool check_file(int folder, const char *name, const char *path, struct Err *err)
{
    struct stat stat;
    if (fstatat(folder, name, &stat, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT || fail_errno(err, "look at", path);
    if (!S_ISREG(stat.st_mode))
        return err_set(err, ERR_STORE, NOWHERE, "'%s' in '%s' is not a plain file", name, path);
    if (!check_owner(&stat, path, err))
        return false;
    if ((stat.st_mode & 077) != 0 && fchmodat(folder, name, stat.st_mode & 0700, 0) != 0)
        return fail_errno(err, "set the permissions of the store in", path);
    return true;
}

static bool make_file(int folder, const char *name, const char *path, struct Err *err)
{
    int fd = openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST || fail_errno(err, "make the store in", path);
    bool made = fchmod(fd, 0600) == 0 && fsync(folder) == 0;
    if (!made)
        fail_errno(err, "make the store in", path);
    close(fd);
    return made;
}

static bool open_files(int folder, const char *state_dir, char **path, struct Err *err)
{
    static const char *const names[] = {"history.db", "history.db-wal", "history.db-shm"};
    if (!check_folder(folder, state_dir, err) || !make_file(folder, names[0], state_dir, err))
        return false;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (!check_file(folder, names[i], state_dir, err))
            return false;
    }
    /* The folder that is open now, whatever its name comes to mean. */
    char link[64];
    char real[PATH_MAX];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", folder);
    ssize_t size = readlink(link, real, sizeof(real));
    if (size < 0 || (size_t)size >= sizeof(real))
        return fail_errno(err, "find the real name of", state_dir);
    struct Buf text = BUF(PATH_MAX + 16);
    buf_add(&text, real, (size_t)size);
    buf_put(&text, "/history.db");
    *path = mem_text(text.text);
    buf_free(&text);
    return true;
}

int folder_open(const char *state_dir, char **path, struct Err *err)
{
    if (!make_folder(state_dir, err))
        return -1;
    int folder = open(state_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0) {
        if (errno == ELOOP || errno == ENOTDIR)
            err_set(err, ERR_STORE, NOWHERE, "the state folder '%s' is not a folder itself",
                    state_dir);
        else
            fail_errno(err, "open the state folder", state_dir);
        return -1;
    }
    if (open_files(folder, state_dir, path, err))
        return folder;
    close(folder);
    return -1;
}
