/* sight_back.c - a role that is given back to who led before: since when, and whole again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sight_parts.h"

static struct Mono not_before(struct Mono at, struct Mono from)
{
    return mono_before(at, from) ? from : at;
}

/* Whole is what was asked for from now on: before it, nobody had moved. */
void sight_returned(struct SightRole *role, struct Mono answered)
{
    role->back = (struct Moment){not_before(role->last_old, role->sight->back), answered};
    role->back_whole = (struct Moment){{0}, {0}};
    role->last_lacking = role->back.high;
    role->whole = KNOWN_UNKNOWN;
}

/* After a switch back: what was seen of the drill before stays as it is. */
void sight_back_whole(struct SightRole *role, enum Known complete)
{
    struct Mono from = role->back.high.ns != 0 ? role->back.high : role->sight->back;
    if (mono_before(role->redundancy_asked, from))
        return;
    role->whole = complete;
    if (complete != KNOWN_YES) {
        role->last_lacking = role->redundancy_asked;
        role->back_whole = (struct Moment){{0}, {0}};
    } else if (role->back_whole.high.ns == 0 && role->back.high.ns != 0) {
        role->back_whole =
            (struct Moment){not_before(role->last_lacking, role->sight->back), mono_now()};
    }
}

struct SightRole *sight_role(const struct Sight *sight, const struct Role *role)
{
    for (size_t at = 0; at < sight->count; at++)
        if (sight->roles[at].role == role)
            return &sight->roles[at];
    return NULL;
}

const struct Target *sight_before(const struct Sight *sight, const struct Role *role)
{
    const struct SightRole *row = sight_role(sight, role);
    return row ? row->before : NULL;
}

bool sight_redundant(const struct Sight *sight, const struct Role *role)
{
    const struct SightRole *row = sight_role(sight, role);
    return row != NULL && row->primary != NULL && row->whole == KNOWN_YES;
}

/* What was whole before it may be an answer of who has led until now. */
void sight_back(struct Sight *sight, const struct Role *role, struct Mono sent)
{
    sight->back = sent;
    sight->back_role = role;
    for (size_t at = 0; at < sight->count; at++) {
        struct SightRole *row = &sight->roles[at];
        if (row->seen.primary_after == NULL && row->primary != NULL)
            row->seen.primary_after = row->primary->name;
        row->whole = KNOWN_UNKNOWN;
        if (row->role == role)
            row->back = row->back_whole = (struct Moment){{0}, {0}};
    }
}

void sight_fit(const struct Sight *sight, const struct Role *role, const struct Target *host,
               struct Mono deadline, void (*done)(void *data, enum Known fit, const char *why),
               void *data)
{
    const struct SightRole *row = sight_role(sight, role);
    if (row != NULL && role->system->ask_fit != NULL)
        role->system->ask_fit(row->system, host, deadline, done, data);
    else
        done(data, KNOWN_YES, "");
}

bool sight_came_back(const struct Sight *sight, const struct Role *role, struct Moment *leads,
                     struct Moment *whole)
{
    const struct SightRole *row = sight_role(sight, role);
    *leads = row != NULL ? row->back : (struct Moment){{0}, {0}};
    *whole = row != NULL ? row->back_whole : (struct Moment){{0}, {0}};
    return leads->high.ns != 0;
}
