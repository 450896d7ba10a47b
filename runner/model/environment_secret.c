/* environment_secret.c - the values of secrets: read once, kept out of swap and core dumps. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "environment.h"

#include "../base/text.h"
#include "redact.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRETS_MOST = 64, SECRET_ROOM = 4096 };

struct Secret {
    char name[96];
    char value[SECRET_ROOM - 96];
};
/* The one piece of state outside main.c: a process drills one environment, and values must not
 * travel through configs, which are stored and printed. Written before any thread starts, then only
 * read. */
static struct Vault {
    struct Secret *secrets; /* locked pages, left out of core dumps */
    size_t count;
} vault;

static bool read_file(const struct SecretSpec *spec, char *value, size_t room, struct Err *err)
{
    int fd = open(spec->at, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return err_set(err, ERR_FILE, spec->where, "secret '%s': %s: %s", spec->name, spec->at,
                       strerror(errno));
    struct stat about;
    ssize_t size = -1;
    const char *why = "cannot be read";
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode))
        why = "is no regular file";
    else if ((about.st_mode & 077) != 0 || (about.st_uid != geteuid() && about.st_uid != 0))
        why = "may be read by others: chmod 600, and owned by who runs this";
    else if (about.st_size >= (off_t)room)
        why = "is too large for a secret";
    else
        size = read(fd, value, room - 1);
    close(fd);
    if (size < 0)
        return err_set(err, ERR_FILE, spec->where, "secret '%s': %s %s", spec->name, spec->at, why);
    while (size > 0 && (value[size - 1] == '\n' || value[size - 1] == '\r'))
        size--;
    value[size] = '\0';
    return true;
}

static bool read_env(const struct SecretSpec *spec, char *value, size_t room, struct Err *err)
{
    const char *text = getenv(spec->at);
    if (text == NULL || text[0] == '\0')
        return err_set(err, ERR_FILE, spec->where, "secret '%s': the variable %s is not set",
                       spec->name, spec->at);
    if (strlen(text) >= room)
        return err_set(err, ERR_FILE, spec->where, "secret '%s': %s is too long", spec->name,
                       spec->at);
    memcpy(value, text, strlen(text) + 1);
    return true;
}

bool environment_unlock(struct Environment *environment, struct Err *err)
{
    size_t count = environment->secrets.count;
    const struct SecretSpec *specs = environment->secrets.items;
    if (count > SECRETS_MOST)
        return err_set(err, ERR_LIMIT, specs[0].where, "more than %d secrets", SECRETS_MOST);
    if (vault.secrets == NULL) {
        size_t size = SECRETS_MOST * sizeof(struct Secret);
        void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (pages == MAP_FAILED)
            return err_set(err, ERR_OWN, NOWHERE, "no memory for secrets: %s", strerror(errno));
        madvise(pages, size, MADV_DONTDUMP);
        (void)mlock(pages, size); /* refused under a small RLIMIT_MEMLOCK: then it may be swapped */
        vault.secrets = pages;
    }
    vault.count = 0;
    for (size_t i = 0; i < count; i++) {
        struct Secret *secret = &vault.secrets[i];
        snprintf(secret->name, sizeof secret->name, "%s", specs[i].name);
        bool read = specs[i].source == SECRET_ENV
                        ? read_env(&specs[i], secret->value, sizeof secret->value, err)
                        : read_file(&specs[i], secret->value, sizeof secret->value, err);
        if (!read)
            return false;
        vault.count = i + 1;
    }
    return true;
}

bool secret_at(size_t index, const char **name, const char **value)
{
    if (index >= vault.count)
        return false;
    *name = vault.secrets[index].name;
    *value = vault.secrets[index].value;
    return true;
}

const char *environment_secret(const char *text)
{
    if (text == NULL || !text_starts(text, "${secret.") || !text_ends(text, "}"))
        return text;
    size_t size = strlen(text) - strlen("${secret.}");
    for (size_t i = 0; i < vault.count; i++) {
        const struct Secret *secret = &vault.secrets[i];
        if (strlen(secret->name) == size &&
            strncmp(secret->name, text + strlen("${secret."), size) == 0)
            return secret->value;
    }
    bug("'%s' was used before environment_unlock", text);
}
