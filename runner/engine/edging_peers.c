/* edging_peers.c - the numeric addresses of hosts that shall not be heard. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <string.h>

#include "../base/text.h"
#include "edging.h"

static bool is_listed(const struct List *list, const char *address)
{
    const char *const *rows = list->items;
    for (size_t at = 0; at < list->count; at++)
        if (text_equal(rows[at], address))
            return true;
    return false;
}

/* Printed anew, so that one address has one text; names and loopback are nothing to go by. */
static void note_address(const char *text, struct Arena *arena, struct List *out)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    char plain[INET6_ADDRSTRLEN];
    int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
    if (inet_pton(family, text, bytes) != 1 ||
        inet_ntop(family, bytes, plain, sizeof plain) == NULL || text_starts(plain, "127.") ||
        text_equal(plain, "::1") || is_listed(out, plain))
        return;
    *(const char **)list_add(out, arena, sizeof(char *)) = arena_text(arena, plain);
}

static void addresses_of(const struct Survey *survey, const struct Target *host,
                         struct Arena *arena, struct List *out)
{
    const struct SurveyHost *hosts = survey->hosts.items;
    if (host->address != NULL)
        note_address(host->address, arena, out);
    for (size_t at = 0; at < survey->hosts.count; at++) {
        if (hosts[at].target != host || !hosts[at].answered || hosts[at].facts.addresses == NULL)
            continue;
        char *save = NULL, *words = arena_text(arena, hosts[at].facts.addresses);
        for (char *word = strtok_r(words, " ", &save); word != NULL;
             word = strtok_r(NULL, " ", &save))
            note_address(word, arena, out);
    }
}

static bool add_peer(const struct Survey *survey, const struct Target *host,
                     const struct List *mine, struct Arena *arena, struct List *out,
                     struct Err *err)
{
    const struct Peer *known = out->items;
    struct List all = {.items = NULL}, theirs = {.items = NULL};
    for (size_t at = 0; at < out->count; at++)
        if (known[at].host == host)
            return true;
    addresses_of(survey, host, arena, &all);
    const char *const *rows = all.items;
    for (size_t at = 0; at < all.count; at++)
        if (!is_listed(mine, rows[at]))
            *(const char **)list_add(&theirs, arena, sizeof(char *)) = rows[at];
    if (theirs.count == 0) {
        err_set(err, ERR_NOT_READY, host->where, "no numeric address of '%s' is known", host->name);
        return err_hint(err, "Give the host its `address:` in the environment.");
    }
    *(struct Peer *)list_add(out, arena, sizeof(struct Peer)) =
        (struct Peer){.host = host, .addresses = theirs.items, .address_count = theirs.count};
    return true;
}

bool edging_peers(const struct Survey *survey, const struct Target *host, const struct List *edges,
                  struct Arena *arena, struct List *out, struct Err *err)
{
    const struct Edge *rows = edges->items;
    struct List mine = {.items = NULL};
    addresses_of(survey, host, arena, &mine);
    for (size_t at = 0; at < edges->count; at++) {
        const struct Target *other = rows[at].to == host ? rows[at].from : rows[at].to;
        if (!add_peer(survey, other, &mine, arena, out, err))
            return false;
    }
    return true;
}
