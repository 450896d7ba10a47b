/* gate_tighten.c - rules of scenario and command line on top of the environment's, never below. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "gate.h"

#include "../base/duration.h"
#include "../base/text.h"
#include "environment_fields.h"
#include <inttypes.h>

/* Whose rules they become, who wants them so, and whether one was refused. */
struct Tighten {
    struct Environment *environment;
    const struct GateFields *by;
    const char *whose;
    struct Err *err;
};

static bool looser(const struct Tighten *of, const char *rule, const char *wanted, const char *is)
{
    err_set(of->err, ERR_REFUSED, NOWHERE, "%s: %s of %s would loosen %s of environment '%s'", rule,
            wanted, of->whose, is, of->environment->name);
    return err_hint(of->err, "Rules only tighten: environment, then scenario, then command line.");
}

/* 0 = no rule; a lower number is the stricter one. */
static bool lower(const struct Tighten *of, const char *rule, int64_t wanted, int64_t *limit,
                  void (*say)(int64_t value, char out[32]))
{
    char is[32], more[32];
    if (wanted == 0)
        return true;
    if (*limit != 0 && wanted > *limit) {
        say(wanted, more);
        say(*limit, is);
        return looser(of, rule, more, is);
    }
    *limit = wanted;
    return true;
}

static void say_count(int64_t value, char out[32])
{
    snprintf(out, 32, "%" PRId64, value);
}

static void say_share(int64_t value, char out[32])
{
    share_say(value, out);
}

static void say_time(int64_t value, char out[32])
{
    duration_say(value, out);
}

static bool tighten_numbers(const struct Tighten *of)
{
    struct GateLimits *limits = &of->environment->limits;
    const struct BlastRadiusFields *radius = of->by->blast_radius;
    return lower(of, "longest_fault", of->by->longest_ns, &limits->longest_ns, say_time) &&
           lower(of, "max_per_day", of->by->per_day, &limits->per_day, say_count) &&
           (radius == NULL ||
            (lower(of, "blast_radius.hosts", radius->hosts, &limits->hosts, say_count) &&
             lower(of, "blast_radius.of_role", radius->of_role, &limits->of_role, say_share)));
}

/* Of a role that the environment does not name one is kept anyhow. */
static bool keep(const struct Tighten *of, const struct KeepFields *wanted)
{
    struct GateLimits *limits = &of->environment->limits;
    struct KeepHealthy *rows = limits->keep.items, *row = NULL;
    const struct Role *role = environment_role(of->environment, wanted->role);
    for (size_t i = 0; i < limits->keep.count; i++)
        if (text_equal(rows[i].role, wanted->role))
            row = &rows[i];
    if (role == NULL || (size_t)wanted->count > role->host_count)
        return err_set(of->err, ERR_REFUSED, NOWHERE,
                       "keep_healthy: environment '%s' has %s '%s', of which %s wants %" PRId64
                       " kept",
                       of->environment->name, role == NULL ? "no role" : "fewer hosts of role",
                       wanted->role, of->whose, wanted->count);
    int64_t least = row != NULL ? row->count : 1;
    if (wanted->count < least) {
        char is[32], fewer[64];
        snprintf(is, sizeof is, "%" PRId64, least);
        snprintf(fewer, sizeof fewer, "%.40s %" PRId64, wanted->role, wanted->count);
        return looser(of, "keep_healthy", fewer, is);
    }
    if (row == NULL)
        row = list_add(&limits->keep, of->environment->arena, sizeof *row);
    *row = (struct KeepHealthy){
        .role = role->name, .count = wanted->count, .where = wanted->node->where};
    return true;
}

static bool tighten_keep(const struct Tighten *of)
{
    const struct KeepFields *rows = of->by->keep_healthy.items;
    for (size_t i = 0; i < of->by->keep_healthy.count; i++)
        if (!keep(of, &rows[i]))
            return false;
    return true;
}

/* A list of our own: the other one may be the decoder's. */
static void join(const struct Tighten *of, struct List *list, const struct List *more)
{
    struct Arena *arena = of->environment->arena;
    struct List all = {.items = NULL};
    const struct List *both[] = {list, more};
    for (size_t k = 0; k < COUNT_OF(both); k++)
        for (size_t i = 0; i < both[k]->count; i++)
            *(const char **)list_add(&all, arena, sizeof(char *)) =
                arena_text(arena, ((const char *const *)both[k]->items)[i]);
    *list = all;
}

static bool tighten_forbid(const struct Tighten *of)
{
    struct GateLimits *limits = &of->environment->limits;
    const struct ForbidFields *forbid = of->by->forbid;
    if (forbid == NULL)
        return true;
    const char *const *hosts = forbid->hosts.items;
    for (size_t i = 0; i < forbid->hosts.count; i++)
        if (environment_host(of->environment, hosts[i]) == NULL)
            return err_set(of->err, ERR_REFUSED, NOWHERE,
                           "forbid: environment '%s' has no host '%s'", of->environment->name,
                           hosts[i]);
    join(of, &limits->forbidden_faults, &forbid->faults);
    join(of, &limits->forbidden_classes, &forbid->classes);
    join(of, &limits->forbidden_hosts, &forbid->hosts);
    return true;
}

/* Both must be open; frozen is what either says. */
static bool tighten_times(const struct Tighten *of)
{
    struct Environment *environment = of->environment;
    struct GateTimes *times = &environment->times, more = {.zone = NULL};
    struct Problems *problems = problems_new();
    bool good = gate_times_read(of->by, environment->arena, problems, &more);
    if (!good)
        *of->err = *problems_at(problems, 0);
    problems_free(problems);
    if (!good || (more.windows.count + more.freezes.count == 0 && of->by->per_day == 0))
        return good;
    if (environment->timezone == NULL) {
        err_set(of->err, ERR_REFUSED, NOWHERE,
                "the days and hours of %s need `timezone:` in environment '%s'", of->whose,
                environment->name);
        return err_hint(of->err, "Say timezone: Europe/Berlin, or UTC.");
    }
    times->zone_name = environment->timezone;
    times->zone = zone_read(environment->timezone, environment->arena);
    const struct FreezeDays *days = more.freezes.items;
    for (size_t i = 0; i < more.freezes.count; i++)
        *(struct FreezeDays *)list_add(&times->freezes, environment->arena, sizeof *days) = days[i];
    if (more.windows.count > 0 && times->windows.count > 0) {
        struct GateTimes *also = arena_zero(environment->arena, 1, sizeof *also);
        *also = *times;
        times->also = also;
    }
    if (more.windows.count > 0)
        times->windows = more.windows;
    return true;
}

bool gate_tighten(struct Environment *environment, const struct GateFields *by, const char *whose,
                  struct Err *err)
{
    struct Tighten of = {.environment = environment, .by = by, .whose = whose, .err = err};
    return by == NULL ||
           (tighten_numbers(&of) && tighten_keep(&of) && tighten_forbid(&of) && tighten_times(&of));
}
