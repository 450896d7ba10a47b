/* mariadb_gtid.c - which of two MariaDB has transactions that the other has not. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "mariadb_system.h"

/* Each server counts its own transactions of a domain on, so of a pair the highest says all. */
struct Gtid {
    unsigned long long domain, server, number;
};

/* The next of a list; false: there is none, or what stands there is none (*good). */
static bool next_gtid(const char **at, struct Gtid *out, bool *good)
{
    unsigned long long *const parts[] = {&out->domain, &out->server, &out->number};
    if (**at == '\0')
        return false;
    for (size_t n = 0; n < 3; n++) {
        char *end = NULL;
        *good = **at >= '0' && **at <= '9';
        if (!*good)
            return false;
        *parts[n] = strtoull(*at, &end, 10);
        *good = *end == (n < 2 ? '-' : ',') || (n == 2 && *end == '\0');
        if (!*good)
            return false;
        *at = *end == '\0' ? end : end + 1;
    }
    return true;
}

static bool has(const char *list, const struct Gtid *sought, bool *good)
{
    struct Gtid gtid = {.domain = 0};
    while (next_gtid(&list, &gtid, good))
        if (gtid.domain == sought->domain && gtid.server == sought->server &&
            gtid.number >= sought->number)
            return true;
    return false;
}

enum Known gtid_covers(const char *a, const char *more, const char *b)
{
    struct Gtid gtid = {.domain = 0};
    bool good = true, all = true;
    if (strlen(a) >= MARIADB_POSITION_MAX - 1 || strlen(more) >= MARIADB_POSITION_MAX - 1 ||
        strlen(b) >= MARIADB_POSITION_MAX - 1)
        return KNOWN_UNKNOWN;
    while (good && next_gtid(&b, &gtid, &good))
        all = (has(a, &gtid, &good) || (good && has(more, &gtid, &good))) && all;
    return !good ? KNOWN_UNKNOWN : all ? KNOWN_YES : KNOWN_NO;
}

/* The number where a list is in a domain; -1: it never was there. */
static int64_t number_in(const char *list, unsigned long long domain, bool *good)
{
    struct Gtid gtid = {.domain = 0};
    while (next_gtid(&list, &gtid, good))
        if (gtid.domain == domain)
            return (int64_t)gtid.number;
    return -1;
}

enum Known gtid_later(const char *a, const char *b)
{
    struct Gtid gtid = {.domain = 0};
    bool good = true, behind = false, ahead = false;
    const char *const lists[] = {a, b};
    for (size_t n = 0; n < 2; n++) {
        const char *at = lists[n];
        if (strlen(at) >= MARIADB_POSITION_MAX - 1)
            return KNOWN_UNKNOWN;
        while (good && next_gtid(&at, &gtid, &good)) {
            int64_t ours = number_in(a, gtid.domain, &good);
            int64_t theirs = good ? number_in(b, gtid.domain, &good) : 0;
            ahead = ahead || ours > theirs;
            behind = behind || ours < theirs;
        }
    }
    if (!good || (ahead && behind))
        return KNOWN_UNKNOWN;
    return ahead ? KNOWN_YES : KNOWN_NO;
}

enum Known mariadb_covers(const struct MariadbLook *look, const struct MariadbLook *other)
{
    enum Known logged = gtid_covers(look->log, look->received, other->log);
    enum Known received = gtid_covers(look->log, look->received, other->received);
    if (logged == KNOWN_UNKNOWN || received == KNOWN_UNKNOWN)
        return KNOWN_UNKNOWN;
    return logged == KNOWN_YES && received == KNOWN_YES ? KNOWN_YES : KNOWN_NO;
}
