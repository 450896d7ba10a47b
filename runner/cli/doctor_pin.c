/* doctor_pin.c - `doctor --pin`: what hosts say they are, compared by people, then written down. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/text.h"
#include "../model/inventory.h"
#include "../model/pins.h"
#include "../transports/keyscan.h"

#define SCAN_NS (10 * NS_PER_S)

struct Pinner {
    struct Drill *drill;
    struct Buf *out;
    struct List pins;    /* of struct Pin: new ones */
    struct List changed; /* of struct Pin: they stand in the file otherwise */
};

static void say(struct Pinner *of, const char *host, const char *key, const char *is,
                const char *now, const char *why)
{
    if (text_equal(is, now)) {
        buf_printf(of->out, "    %-20s %-10s as pinned\n", host, key);
        return;
    }
    *(struct Pin *)list_add(is == NULL ? &of->pins : &of->changed, of->drill->cli->arena,
                            sizeof(struct Pin)) =
        (struct Pin){.host = host, .key = key, .value = now};
    if (is == NULL)
        buf_printf(of->out, "  + %-20s %-10s %s   new%s\n", host, key, now, why);
    else
        buf_printf(of->out, "  ! %-20s %-10s %s\n      CHANGED, it was    %s\n", host, key, now,
                   is);
}

static void look_at_key(struct Pinner *of, const struct Target *target)
{
    struct Arena *arena = of->drill->cli->arena;
    struct OfferedKey offered = {.is_known = false};
    struct Err err;
    if (!keyscan(target, mono_add(mono_now(), SCAN_NS), arena, &offered, &err)) {
        buf_printf(of->out, "  ? %-20s %-10s not seen: %s\n", target->name, "host_key",
                   err.message);
        return;
    }
    say(of, target->name, "host_key", target->host_key, arena_text(arena, offered.fingerprint),
        offered.is_known ? ", as known_hosts has it" : ", known to nobody here");
}

/* Told by a host that was recognised by its key, and no other. */
static void look_at_machine(struct Pinner *of, const struct SurveyHost *host)
{
    const char *name = host->target->name;
    if (host->answered && host->facts.machine_id_hash[0] != '\0')
        say(of, name, "machine_id", host->target->machine_id, host->facts.machine_id_hash, "");
    else
        buf_printf(of->out, "  ? %-20s %-10s not seen: %s\n", name, "machine_id",
                   host->answered ? "it has none" : host->err.message);
}

static const struct SurveyHost *surveyed(const struct Survey *survey, const struct Target *target)
{
    const struct SurveyHost *rows = survey->hosts.items;
    for (size_t at = 0; at < survey->hosts.count; at++)
        if (rows[at].target == target)
            return &rows[at];
    return NULL;
}

/* Read again as any file would be: what was meant is what it says. */
static bool says_so(struct Drill *drill, const struct Buf *text, const struct List *pins,
                    struct Err *err)
{
    struct Cli *cli = drill->cli;
    struct Problems *problems = problems_new();
    const struct Document *document = document_parse(drill->loaded.environment->path, text->text,
                                                     text->size, cli->arena, problems);
    struct Environment *made =
        document->root != NULL ? environment_new(document, cli->kinds, cli->project.dir, problems)
                               : NULL;
    bool good = made != NULL;
    const struct Pin *pin = pins->items;
    for (size_t at = 0; good && at < pins->count; at++) {
        const struct Target *host = environment_host(made, pin[at].host);
        good = host != NULL &&
               text_equal(text_equal(pin[at].key, "host_key") ? host->host_key : host->machine_id,
                          pin[at].value);
    }
    environment_free(made);
    problems_free(problems);
    return good || err_set(err, ERR_OWN, NOWHERE,
                           "the file is written in a way that cannot be changed safely: write the "
                           "pins by hand");
}

/* Beside it first; then in its place, at one stroke. */
static bool replace_file(const char *path, const struct Buf *text, struct Arena *arena,
                         struct Err *err)
{
    struct stat was;
    const char *beside = arena_printf(arena, "%s.new", path);
    if (stat(path, &was) != 0)
        return err_set(err, ERR_FILE, NOWHERE, "%s: %s", path, strerror(errno));
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, was.st_mode & 0777);
    bool good =
        fd >= 0 && write(fd, text->text, text->size) == (ssize_t)text->size && fsync(fd) == 0;
    int why = errno;
    good = fd >= 0 && close(fd) == 0 && good;
    good = good && rename(beside, path) == 0;
    if (good)
        return true;
    if (fd >= 0)
        unlink(beside);
    return err_set(err, ERR_FILE, NOWHERE, "%s: %s", beside, strerror(why));
}

static bool reviewed(struct Cli *cli, const char *name)
{
    char typed[200];
    const char *confirmed = cli_option(cli, "confirm");
    if (confirmed == NULL && cli->may_ask &&
        cli_ask_line("Compare each with the host's own console (ssh-keygen -lf "
                     "/etc/ssh/ssh_host_ed25519_key.pub).\nType the environment's name to write "
                     "them into its file: ",
                     typed, sizeof typed))
        confirmed = typed;
    return text_equal(confirmed, name);
}

/* What changed is written by who typed the name below it, never by a word in a script: a host that
 * another one stands in for looks just like this. False where nothing is left to write. */
static bool take_changed(struct Pinner *of)
{
    const struct Pin *changed = of->changed.items;
    bool typed = cli_option(of->drill->cli, "confirm") == NULL;
    for (size_t at = 0; typed && at < of->changed.count; at++)
        *(struct Pin *)list_add(&of->pins, of->drill->cli->arena, sizeof(struct Pin)) = changed[at];
    if (!typed && of->changed.count > 0)
        fprintf(stderr,
                "%zu changed, which --confirm does not write: compare each with the host's own "
                "console, then type the name on a terminal, or change the file by hand\n",
                of->changed.count);
    return of->pins.count > 0;
}

static int write_pins(struct Pinner *of)
{
    struct Cli *cli = of->drill->cli;
    const struct Environment *environment = of->drill->loaded.environment;
    struct Err err;
    struct Buf text = BUF(1U << 20);
    if (!reviewed(cli, environment->name)) {
        fprintf(stderr, "nothing was written; once they were compared: %s%s\n",
                of->changed.count > 0 ? "type the name on a terminal; new ones: --confirm "
                                      : "--confirm ",
                environment->name);
        return err_status(ERR_NOT_READY);
    }
    if (!take_changed(of))
        return err_status(ERR_NOT_READY);
    struct Problems *problems = problems_new();
    const struct Document *document = document_read(environment->path, cli->arena, problems);
    bool good = document->root != NULL
                    ? pins_text(document, of->pins.items, of->pins.count, cli->arena, &text, &err)
                    : err_set(&err, ERR_FILE, NOWHERE, "%s cannot be read", environment->path);
    good = good && says_so(of->drill, &text, &of->pins, &err) &&
           replace_file(environment->path, &text, cli->arena, &err);
    if (good)
        printf("wrote %zu into %s; git diff shows them\n", of->pins.count, environment->path);
    bool all = of->changed.count == 0 || cli_option(cli, "confirm") == NULL;
    buf_free(&text);
    problems_free(problems);
    return !good ? cli_fail(cli, &err) : all ? 0 : err_status(ERR_NOT_READY);
}

int doctor_pin(struct Drill *drill, const struct Survey *survey)
{
    const struct Environment *environment = drill->loaded.environment;
    struct Buf out = BUF(1U << 20);
    struct Pinner of = {.drill = drill, .out = &out};
    struct Target *const *hosts = environment->hosts.items;
    buf_printf(&out, "%s: pins of %s\n", loud(drill->cli->arena, environment->name),
               environment->path);
    for (size_t at = 0; at < environment->hosts.count; at++) {
        const struct SurveyHost *host = surveyed(survey, hosts[at]);
        if (inventory_lists(environment, hosts[at]->name)) {
            buf_printf(&out,
                       "  - %-20s of the inventory: known_hosts has its key, or describe it "
                       "by hand\n",
                       hosts[at]->name);
            continue;
        }
        look_at_key(&of, hosts[at]);
        if (host != NULL)
            look_at_machine(&of, host);
    }
    int status = cli_print(&out, 0);
    fflush(stdout);
    buf_free(&out);
    return status != 0 || of.pins.count + of.changed.count == 0 ? status : write_pins(&of);
}
