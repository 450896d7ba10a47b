/* help.c - what the program and its verbs do, from the tables. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include "../base/table.h"
#include "../base/text.h"

enum { VERBS_MOST = 32 };

static void put_verbs(struct Buf *out, bool first_screen)
{
    size_t count;
    const struct Verb *const *verbs = cli_verbs(&count);
    for (size_t i = 0; i < count; i++) {
        if (verbs[i]->on_first_screen != first_screen)
            continue;
        buf_put(out, "  ");
        buf_padded(out, verbs[i]->name, 10);
        buf_printf(out, "%s\n", verbs[i]->summary);
    }
}

static void put_options(struct Buf *out, const struct Option *options)
{
    for (; options != NULL && options->name != NULL; options++) {
        char left[64];
        const char *value = options->value != NULL ? options->value : "";
        const char *gap = options->value != NULL ? " " : "";
        if (options->letter != 0)
            snprintf(left, sizeof left, "-%c, --%s%s%s", options->letter, options->name, gap,
                     value);
        else
            snprintf(left, sizeof left, "    --%s%s%s", options->name, gap, value);
        buf_put(out, "  ");
        buf_padded(out, left, 24);
        buf_printf(out, "%s\n", options->doc);
    }
}

void help_first_screen(struct Buf *out)
{
    buf_put(
        out,
        "faildrill breaks one thing on purpose, measures the recovery, and puts it back.\n\n"
        "  faildrill doctor staging                       is everything there?\n"
        "  faildrill plan -e staging redis_primary_dies   who, how, the way back; changes nothing\n"
        "  faildrill run -e staging redis_primary_dies    break, measure, undo, report\n"
        "  faildrill trends                               are we getting better?\n\n");
    put_verbs(out, true);
    buf_put(out, "\nAlso: ");
    size_t count;
    const struct Verb *const *verbs = cli_verbs(&count);
    const char *comma = "";
    for (size_t i = 0; i < count; i++) {
        if (verbs[i]->on_first_screen)
            continue;
        buf_printf(out, "%s%s", comma, verbs[i]->name);
        comma = ", ";
    }
    buf_put(out, " (faildrill help all). Ctrl-C, `faildrill halt`, or on a host\n"
                 "`sudo sh /run/faildrill/undo` end a fault at any time.\n\n"
                 "Next: faildrill help run\n");
}

void help_all(struct Buf *out)
{
    buf_put(out, "faildrill VERB [OPTIONS] ...\n\n");
    put_verbs(out, true);
    buf_put(out, "\n");
    put_verbs(out, false);
    buf_put(out, "\nOptions of every verb\n");
    put_options(out, CLI_GLOBALS);
    buf_put(out, "\nNext: faildrill help plan\n");
}

void help_verb(const struct Verb *verb, struct Buf *out)
{
    buf_put(out, verb->examples);
    buf_printf(out, "\nfaildrill %s%s%s%s\n  %s\n", verb->name,
               verb->options != NULL ? " [OPTIONS]" : "", verb->takes[0] != '\0' ? " " : "",
               verb->takes, verb->summary);
    if (verb->options != NULL) {
        buf_put(out, "\nOptions\n");
        put_options(out, verb->options);
    }
    buf_put(out, "\nOptions of every verb\n");
    put_options(out, CLI_GLOBALS);
    buf_printf(out, "\n%s\n", verb->next);
}

const struct Verb *help_find(const char *name, struct Err *err)
{
    size_t count;
    const struct Verb *const *verbs = cli_verbs(&count);
    const char *names[VERBS_MOST];
    for (size_t i = 0; i < count; i++) {
        if (text_equal(verbs[i]->name, name))
            return verbs[i];
        names[i] = verbs[i]->name;
    }
    err_set(err, ERR_USAGE, NOWHERE, "there is no verb '%s'", name);
    const char *nearest = text_nearest(name, names, count);
    if (nearest != NULL)
        err_hint(err, "did you mean `faildrill %s`? All of them: faildrill help all", nearest);
    else
        err_hint(err, "all of them: faildrill help all");
    return NULL;
}
