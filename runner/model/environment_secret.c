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
#define COMMAND_NS (30 * NS_PER_S)

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
    struct Secret *taken; /* behind them: variables that were read, by their names */
    size_t taken_count;
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

/* Where a variable that was taken is kept; NULL where there is no room. */
static struct Secret *slot_of(const char *name)
{
    size_t at = 0;
    while (at < vault.taken_count && !text_equal(vault.taken[at].name, name))
        at++;
    if (at == SECRETS_MOST || strlen(name) >= sizeof vault.taken[0].name)
        return NULL;
    return &vault.taken[at];
}

/* A variable is read once: afterwards neither we nor our children have it in their environment. */
static const char *take_variable(const char *name)
{
    char *text = getenv(name);
    struct Secret *slot = slot_of(name);
    bool known = slot != NULL && slot < vault.taken + vault.taken_count;
    if (text == NULL || text[0] == '\0' || slot == NULL || strlen(text) >= sizeof slot->value)
        return known && text == NULL ? slot->value : NULL;
    snprintf(slot->name, sizeof slot->name, "%s", name);
    memcpy(slot->value, text, strlen(text) + 1);
    explicit_bzero(text, strlen(text));
    unsetenv(name);
    vault.taken_count += known ? 0 : 1;
    return slot->value;
}

static bool read_env(const struct SecretSpec *spec, char *value, size_t room, struct Err *err)
{
    const char *taken = take_variable(spec->at), *text = getenv(spec->at);
    bool set = text != NULL && text[0] != '\0';
    if (taken == NULL)
        return err_set(err, ERR_FILE, spec->where, "secret '%s': %s%s%s", spec->name,
                       set ? "" : "the variable ", spec->at, set ? " is too long" : " is not set");
    snprintf(value, room, "%s", taken);
    return true;
}

/* What it says on its standard error is not shown: that may hold the value. */
static bool read_command(const struct SecretSpec *spec, SecretRunFn *run, char *value, size_t room,
                         struct Err *err)
{
    const char **argv = mem_zero(spec->argv.count + 1, sizeof *argv);
    memcpy(argv, spec->argv.items, spec->argv.count * sizeof *argv);
    struct Buf out = BUF(room);
    struct Err unsaid;
    const char *why = NULL;
    if (!run(argv, &out, mono_add(mono_now(), COMMAND_NS), &unsaid))
        why = "did not end well";
    while (out.size > 0 && strchr("\r\n", out.text[out.size - 1]) != NULL)
        out.text[--out.size] = '\0';
    if (why == NULL && out.size >= room)
        why = "prints too much for a secret";
    else if (why == NULL && (out.size == 0 || strlen(out.text) != out.size))
        why = out.size == 0 ? "prints nothing" : "prints no text";
    if (why == NULL)
        memcpy(value, out.text, out.size + 1);
    if (out.size > 0)
        explicit_bzero(out.text, out.size);
    explicit_bzero(&unsaid, sizeof unsaid);
    buf_free(&out);
    mem_free(argv);
    if (why == NULL)
        return true;
    err_set(err, ERR_FILE, spec->where, "secret '%s': the command `%s` %s", spec->name, spec->at,
            why);
    return err_hint(err,
                    "run it by hand: what it says is not shown here, as it may hold the value");
}

static bool read_secret(const struct SecretSpec *spec, SecretRunFn *run, struct Secret *secret,
                        struct Err *err)
{
    switch (spec->source) {
    case SECRET_ENV:
        return read_env(spec, secret->value, sizeof secret->value, err);
    case SECRET_FILE:
        return read_file(spec, secret->value, sizeof secret->value, err);
    case SECRET_COMMAND:
        return read_command(spec, run, secret->value, sizeof secret->value, err);
    }
    return false;
}

/* Room for the values: pages that are never written to disk. */
static bool make_room(struct Err *err)
{
    size_t size = 2 * SECRETS_MOST * sizeof(struct Secret);
    if (vault.secrets != NULL)
        return true;
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        return err_set(err, ERR_OWN, NOWHERE, "no memory for secrets: %s", strerror(errno));
    madvise(pages, size, MADV_DONTDUMP);
    (void)mlock(pages, size); /* refused under a small RLIMIT_MEMLOCK: then it may be swapped */
    vault.secrets = pages;
    vault.taken = vault.secrets + SECRETS_MOST;
    return true;
}

void environment_hide(const struct Environment *environment)
{
    const struct SecretSpec *specs = environment->secrets.items;
    struct Err unused;
    for (size_t i = 0; i < environment->secrets.count && make_room(&unused); i++)
        if (specs[i].source == SECRET_ENV)
            (void)take_variable(specs[i].at);
}

bool environment_unlock(struct Environment *environment, SecretRunFn *run, struct Err *err)
{
    size_t count = environment->secrets.count;
    const struct SecretSpec *specs = environment->secrets.items;
    if (count > SECRETS_MOST)
        return err_set(err, ERR_LIMIT, specs[0].where, "more than %d secrets", SECRETS_MOST);
    if (!make_room(err))
        return false;
    vault.count = 0;
    for (size_t i = 0; i < 2 * count; i++) { /* commands first: they may want our variables */
        const struct SecretSpec *spec = &specs[i % count];
        struct Secret *secret = &vault.secrets[i % count];
        snprintf(secret->name, sizeof secret->name, "%s", spec->name);
        if ((spec->source == SECRET_COMMAND) == (i < count) && !read_secret(spec, run, secret, err))
            return false;
    }
    vault.count = count;
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
