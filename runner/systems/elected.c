/* elected.c - systems of which each host says for itself whether it leads. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "elected.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../base/duration.h"
#include "../base/text.h"

/* A host that is cut off is silent until the deadline; one that leads says so at once. */
#define SILENT_AFTER_NS (300 * NS_PER_MS)
enum { WHY_MAX = 300 };

const struct Choice plain_start_choices[] = {
    {"unsafe", 0, "It may lead again beside the new primary."},
    {"safe", 1, "It finds out who leads before it takes a write, and follows."},
    {.name = NULL},
};

bool elected_open(struct Elected *system, const struct ElectedKind *kind, const struct Role *role,
                  struct Loop *loop, struct Err *err)
{
    if (role->host_count > ELECTED_HOSTS_MAX)
        return err_set(err, ERR_LIMIT, role->where, "role '%s' has more than %d hosts", role->name,
                       ELECTED_HOSTS_MAX);
    *system = (struct Elected){
        .kind = kind, .role = role, .asking = {.loop = loop}, .port = system->port};
    return true;
}

void elected_cancel(void *data)
{
    struct Elected *system = data;
    asks_cancel(&system->asking);
}

const char *elected_address(const struct Target *host)
{
    return host->address != NULL ? host->address : host->name;
}

/* ---- asking ---- */

static void finish_roll(struct Ask *ask)
{
    struct Roll *roll = (struct Roll *)ask;
    roll->told(roll);
}

void *roll_begin(struct Elected *system, size_t size, struct Mono deadline,
                 void (*told)(struct Roll *roll))
{
    size_t own = (size + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) * _Alignof(max_align_t);
    struct Roll *roll =
        ask_begin(&system->asking, own + system->role->host_count * system->kind->kept_size,
                  deadline, finish_roll);
    roll->kept = (char *)roll + own;
    roll->system = system;
    roll->told = told;
    for (size_t n = 0; n < system->role->host_count; n++)
        roll->said[n].host = system->role->hosts[n];
    return roll;
}

void *roll_kept(const struct Roll *roll, size_t host)
{
    return (char *)roll->kept + host * roll->system->kind->kept_size;
}

static bool leads(const struct Standing *standing)
{
    return standing->rank == RANK_PRIMARY && standing->writable != KNOWN_NO;
}

static bool take_host(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct Roll *roll = (struct Roll *)ask;
    struct Standing *standing = &roll->said[index];
    roll->system->kind->hear(roll->system, index, answer, standing);
    if (roll->system->kind->keep != NULL)
        roll->system->kind->keep(answer, roll_kept(roll, index));
    standing->asked = ask->asked;
    standing->answered = mono_now();
    return true;
}

static void ask_host(struct Roll *roll, size_t host)
{
    struct AskPart *part = ask_part(&roll->ask, host, take_host);
    part->call =
        roll->system->kind->ask(roll->system, host, roll->ask.deadline, ask_answered, part);
}

static bool is_enough(struct Ask *ask)
{
    struct Roll *roll = (struct Roll *)ask;
    return roll_leader(roll) == roll->system->role->host_count;
}

void roll_go(struct Roll *roll)
{
    for (size_t n = 0; n < roll->system->role->host_count; n++)
        ask_host(roll, n);
    if (roll->hasty)
        ask_wait(&roll->ask, SILENT_AFTER_NS, is_enough);
    ask_go(&roll->ask);
}

/* ---- what they say, taken together ---- */

size_t roll_primaries(const struct Roll *roll)
{
    size_t count = 0;
    for (size_t n = 0; n < roll->system->role->host_count; n++)
        count += leads(&roll->said[n]) ? 1 : 0;
    return count;
}

size_t roll_leader(const struct Roll *roll)
{
    size_t count = roll->system->role->host_count, primaries = roll_primaries(roll);
    size_t leader = count;
    int64_t highest = -1;
    for (size_t n = 0; n < count; n++) {
        int64_t epoch = -1;
        if (!leads(&roll->said[n]))
            continue;
        if (primaries == 1)
            return n;
        if (!int_parse(roll->said[n].epoch, &epoch, NULL))
            return count; /* nobody can tell which of them is the elder */
        if (epoch == highest)
            return count;
        if (epoch > highest) {
            highest = epoch;
            leader = n;
        }
    }
    return leader;
}

__attribute__((format(printf, 4, 5))) static void
lacking(struct Redundancy *out, enum Known complete, char *why, const char *format, ...)
{
    va_list values;
    if (out->complete != KNOWN_NO)
        out->complete = complete;
    if (why[0] != '\0')
        return;
    va_start(values, format);
    vsnprintf(why, WHY_MAX, format, values);
    va_end(values);
}

void roll_judge(const struct Roll *roll, struct Redundancy *out, char *why)
{
    const struct Role *role = roll->system->role;
    size_t primaries = roll_primaries(roll), silent = 0;
    why[0] = '\0';
    *out = (struct Redundancy){
        .members = (uint32_t)role->host_count, .complete = KNOWN_YES, .why = why};
    if (primaries > 1)
        lacking(out, KNOWN_NO, why, "%zu hosts say that they are the primary", primaries);
    for (size_t n = 0; n < role->host_count; n++) {
        enum Rank rank = roll->said[n].rank;
        silent += rank == RANK_UNKNOWN ? 1 : 0;
        if (rank == RANK_PRIMARY || rank == RANK_REPLICA)
            out->in_sync++;
        else if (rank == RANK_OTHER)
            lacking(out, KNOWN_NO, why, "%.100s is neither primary nor replica",
                    role->hosts[n]->name);
        else
            lacking(out, KNOWN_UNKNOWN, why, "%.100s does not answer", role->hosts[n]->name);
    }
    if (primaries == 0 && silent == 0)
        lacking(out, KNOWN_NO, why, "no host says that it is the primary");
    if (primaries == 0 && silent > 0)
        lacking(out, KNOWN_UNKNOWN, why, "nobody who answers is the primary");
}

/* ---- the questions ---- */

static void tell_standing(struct Roll *roll)
{
    struct Standing *standing = &roll->said[0];
    for (size_t n = 0; n < roll->system->role->host_count; n++)
        if (roll->said[n].asked.ns != 0)
            standing = &roll->said[n];
    if (standing->asked.ns == 0)
        *standing = (struct Standing){.asked = roll->ask.asked, .answered = mono_now()};
    roll->done.standing(roll->data, standing);
}

void elected_ask_standing(void *data, const struct Target *host, struct Mono deadline,
                          StandingFn *done, void *done_data)
{
    struct Elected *system = data;
    struct Roll *roll = roll_begin(system, sizeof(*roll), deadline, tell_standing);
    roll->done.standing = done;
    roll->data = done_data;
    for (size_t n = 0; n < system->role->host_count; n++)
        if (system->role->hosts[n] == host)
            ask_host(roll, n);
    ask_go(&roll->ask);
}

static void tell_control(struct Roll *roll)
{
    const struct Role *role = roll->system->role;
    size_t leader = roll_leader(roll);
    struct Standing standing = {.asked = roll->ask.asked, .answered = mono_now()};
    if (leader < role->host_count) {
        standing.rank = RANK_PRIMARY;
        standing.host = role->hosts[leader];
    }
    roll->done.standing(roll->data, &standing);
}

void elected_ask_control(void *system, struct Mono deadline, StandingFn *done, void *data)
{
    struct Roll *roll = roll_begin(system, sizeof(*roll), deadline, tell_control);
    roll->done.standing = done;
    roll->data = data;
    roll->hasty = true;
    roll_go(roll);
}

static void tell_found(struct Roll *roll)
{
    const struct Role *role = roll->system->role;
    size_t leader = roll_leader(roll);
    bool found = leader < role->host_count;
    roll->done.found(roll->data, found ? elected_address(role->hosts[leader]) : NULL,
                     found ? roll->system->port : 0);
}

void elected_find_primary(void *system, struct Mono deadline,
                          void (*done)(void *data, const char *address, uint16_t port), void *data)
{
    struct Roll *roll = roll_begin(system, sizeof(*roll), deadline, tell_found);
    roll->done.found = done;
    roll->data = data;
    roll->hasty = true;
    roll_go(roll);
}

static void tell_redundancy(struct Roll *roll)
{
    struct Redundancy redundancy;
    char why[WHY_MAX];
    roll_judge(roll, &redundancy, why);
    roll->done.redundancy(roll->data, &redundancy);
}

void elected_ask_redundancy(void *system, struct Mono deadline, RedundancyFn *done, void *data)
{
    struct Roll *roll = roll_begin(system, sizeof(*roll), deadline, tell_redundancy);
    roll->done.redundancy = done;
    roll->data = data;
    roll_go(roll);
}
