/* sight_back.c - a role that is given back to who led before: since when, and whole again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sight_parts.h"

static struct Mono not_before(struct Mono at, struct Mono from)
{
    return mono_before(at, from) ? from : at;
}

/* Whole is what was asked for from now on: before it, nobody had moved. One that loses it again
 * before all is whole has yet to come back. */
bool sight_back_leads(struct SightRole *role, struct Mono answered)
{
    bool led = role->back.high.ns != 0;
    if (role->back_sent.ns == 0)
        return false;
    if (role->primary == role->before && !led) {
        role->back = (struct Moment){not_before(role->last_old, role->back_sent), answered};
        role->back_whole = (struct Moment){{0}, {0}};
        role->last_lacking = role->back.low;
        role->whole = KNOWN_UNKNOWN;
    } else if (role->primary != role->before && led && role->back_whole.high.ns == 0) {
        role->back = (struct Moment){{0}, {0}};
        role->lost_again++;
    }
    return true;
}

/* What was seen of the drill before stays as it is. */
bool sight_back_whole(struct SightRole *role, enum Known complete)
{
    if (role->back_sent.ns == 0)
        return false;
    if (mono_before(role->redundancy_asked,
                    role->back.high.ns != 0 ? role->back.high : role->back_sent))
        return true;
    role->whole = complete;
    if (complete != KNOWN_YES) {
        role->last_lacking = role->redundancy_asked;
        role->back_whole = (struct Moment){{0}, {0}};
    } else if (role->back_whole.high.ns == 0 && role->back.high.ns != 0) {
        role->back_whole =
            (struct Moment){not_before(role->last_lacking, role->back.low), mono_now()};
    }
    return true;
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
    struct SightRole *row = sight_role(sight, role);
    if (sight->back.ns == 0)
        sight->back = sent;
    if (row == NULL)
        return;
    row->back_sent = sent;
    row->seen.primary_after = row->primary != NULL ? row->primary->name : NULL;
    row->whole = KNOWN_UNKNOWN;
    row->back = row->back_whole = (struct Moment){{0}, {0}};
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

bool sight_came_back(const struct Sight *sight, const struct Role *role, struct CameBack *out)
{
    const struct SightRole *row = sight_role(sight, role);
    *out = (struct CameBack){.lost_again = 0};
    if (row != NULL)
        *out = (struct CameBack){row->back, row->back_whole, row->lost_again};
    return out->leads.high.ns != 0;
}
