/* needs.c - which faildrill a file was written for. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "needs.h"

#include "../base/text.h"
#include "../base/version.h"
#include <stdlib.h>
#include <string.h>

enum { PARTS = 3, DIGITS_MOST = 6 };

/* "0.4" or "0.4.1"; parts that are not there are 0. */
static bool read_version(const char *text, long parts[PARTS])
{
    for (size_t at = 0; at < PARTS; at++)
        parts[at] = 0;
    for (size_t at = 0; at < PARTS; at++) {
        size_t digits = strspn(text, "0123456789");
        if (digits == 0 || digits > DIGITS_MOST)
            return false;
        parts[at] = strtol(text, NULL, 10);
        text += digits;
        if (*text == '\0')
            return true;
        if (*text++ != '.')
            return false;
    }
    return false;
}

static bool is_older(const long *ours, const long *wanted)
{
    for (size_t at = 0; at < PARTS; at++)
        if (ours[at] != wanted[at])
            return ours[at] < wanted[at];
    return false;
}

bool needs_met(const struct Node *root, struct Problems *problems)
{
    static const char before[] = "faildrill >= ";
    const struct Node *needs = node_get(root, "needs");
    long wanted[PARTS], ours[PARTS];
    if (needs == NULL || needs->type != NODE_SCALAR || needs->broken)
        return true; /* what is no text is said where the file is read */
    if (!text_starts(needs->text, before) || !read_version(needs->text + strlen(before), wanted)) {
        problems_say(problems, ERR_VALUE, needs->where, NULL, "'%s' says no version", needs->text);
        err_at(problems_last(problems), "like `needs: faildrill >= 0.1`");
        return false;
    }
    if (!read_version(FD_VERSION, ours))
        bug("a version of our own that is none: %s", FD_VERSION);
    if (!is_older(ours, wanted))
        return true;
    problems_say(problems, ERR_VALUE, needs->where,
                 "update faildrill; nothing else in the file was looked at",
                 "this is faildrill %s, and the file needs %s", FD_VERSION, needs->text);
    return false;
}
