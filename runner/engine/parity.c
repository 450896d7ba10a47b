/* parity.c - what differs between two environments in that which decides a recovery. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "parity.h"

#include <stdlib.h>
#include <string.h>

#include "../base/duration.h"
#include "../base/text.h"
#include "edging.h"

#define HOW_LONG "how long a failover takes"
#define WHAT_IS_LOST "what is lost"
#define WHO_IS_LEFT "that enough are left"
#define WHAT_GOES_ALONG "what a lost machine takes along"
#define WHO_RESTARTS "who starts again what was killed, and when"
#define THIS_VERSION "that this version does the same"
#define AT_ALL "anything of this role"

struct Comparing {
    const struct ParitySide *sides;
    const char *name;
    const struct Role *roles[2];
    const struct SurveyRole *seen[2];
    struct Arena *arena;
    struct List *out;
};

static void differ(const struct Comparing *of, const char *what, const char *const values[2],
                   const char *unproven)
{
    if (text_equal(values[0], values[1]) && !text_equal(values[0], "unknown"))
        return;
    struct Difference *row = list_add(of->out, of->arena, sizeof *row);
    *row = (struct Difference){
        .role = of->name, .what = what, .values = {values[0], values[1]}, .unproven = unproven};
}

/* ---- Words that stand for several hosts: each once, in order ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *joined(const char **words, size_t count, bool once, struct Arena *arena)
{
    struct Buf text = BUF(2000);
    if (count > 1)
        qsort(words, count, sizeof(*words), by_name);
    for (size_t n = 0; n < count; n++)
        if (!once || n == 0 || !text_equal(words[n], words[n - 1]))
            buf_printf(&text, "%s%s", text.size > 0 ? ", " : "", words[n]);
    const char *copy = arena_text(arena, text.size > 0 ? text.text : "none");
    buf_free(&text);
    return copy;
}

static const struct SurveyHost *host_of(const struct Comparing *of, size_t side, size_t host)
{
    return survey_host(of->sides[side].survey, of->roles[side], of->roles[side]->hosts[host]);
}

/* ---- Hosts ---- */

static const char *count_of(const struct Comparing *of, size_t side)
{
    return arena_printf(of->arena, "%zu", of->roles[side]->host_count);
}

static const char *zones_of(const struct Comparing *of, size_t side)
{
    const struct Role *role = of->roles[side];
    const char **zones = arena_zero(of->arena, role->host_count + 1, sizeof(*zones));
    for (size_t n = 0; n < role->host_count; n++)
        zones[n] = role->hosts[n]->zone != NULL ? role->hosts[n]->zone : "-";
    if (role->host_count > 1)
        qsort(zones, role->host_count, sizeof(*zones), by_name);
    size_t count = 0;
    for (size_t n = 0; n < role->host_count; n++)
        count += n == 0 || !text_equal(zones[n], zones[n - 1]);
    return arena_printf(of->arena, "%zu", count);
}

static bool same_machine(const struct Target *a, const struct Target *b)
{
    return a == b || text_equal(target_address(a), target_address(b));
}

static bool carries(const struct Role *role, const struct Target *host)
{
    for (size_t n = 0; n < role->host_count; n++)
        if (same_machine(role->hosts[n], host))
            return true;
    return false;
}

/* "alone, alone, etcd": what else each of its machines carries; of two numbers of hosts, what any
 * does. */
static const char *company_of(const struct Comparing *of, size_t side)
{
    const struct Role *role = of->roles[side];
    const struct List *all = &of->sides[side].environment->roles;
    const struct Role *roles = all->items;
    const char **hosts = arena_zero(of->arena, role->host_count + 1, sizeof(*hosts));
    for (size_t n = 0; n < role->host_count; n++) {
        const char **others = arena_zero(of->arena, all->count + 1, sizeof(*others));
        size_t count = 0;
        for (size_t at = 0; at < all->count; at++)
            if (&roles[at] != role && carries(&roles[at], role->hosts[n]))
                others[count++] = roles[at].name;
        hosts[n] = count > 0 ? joined(others, count, true, of->arena) : "alone";
    }
    bool once = of->roles[0]->host_count != of->roles[1]->host_count;
    return joined(hosts, role->host_count, once, of->arena);
}

static const char *restart_of(const struct Comparing *of, size_t side)
{
    const struct Role *role = of->roles[side];
    const char **words = arena_zero(of->arena, role->host_count + 1, sizeof(*words));
    for (size_t n = 0; n < role->host_count; n++) {
        const struct SurveyHost *host = host_of(of, side, n);
        const char *restart = host != NULL && host->answered ? host->facts.restart : NULL;
        if (restart == NULL)
            return "unknown";
        words[n] = restart[0] != '\0' ? restart : "no unit";
    }
    return joined(words, role->host_count, true, of->arena);
}

static const char *run_of(const struct Comparing *of, size_t side)
{
    const struct Service *service = &of->roles[side]->service;
    return service->unit != NULL        ? "unit"
           : service->pidfile != NULL   ? "service"
           : service->exe != NULL       ? "process"
           : service->container != NULL ? "container"
           : service->pods != NULL      ? "pods"
                                        : "not said";
}

/* ---- Settings of its system ---- */

/* These tell how it is, and not how it is set. */
static bool is_state(const char *knob)
{
    static const char *const states[] = {"last failover", "last election", "too old",
                                         "pending_restart", "beware"};
    for (size_t n = 0; n < COUNT_OF(states); n++)
        if (text_equal(states[n], knob))
            return true;
    return false;
}

/* Its value is its version. */
static bool is_product(const char *knob)
{
    static const char *const products[] = {"Redis",   "Patroni", "PostgreSQL", "etcd",
                                           "MariaDB", "MySQL",   "HAProxy",    "keepalived"};
    for (size_t n = 0; n < COUNT_OF(products); n++)
        if (text_equal(products[n], knob))
            return true;
    return false;
}

/* All values of one name, in whatever order hosts answered; these are called the same on both
 * sides. */
static const char *knob_of(const struct Comparing *of, size_t side, const char *name)
{
    const struct Prospect *prospect = &of->seen[side]->prospect;
    const struct Role *role = of->roles[side];
    const char **values = arena_zero(of->arena, prospect->knob_count + 1, sizeof(*values));
    size_t count = 0;
    for (size_t n = 0; n < prospect->knob_count; n++) {
        if (!text_equal(prospect->knobs[n].name, name))
            continue;
        const char *value = prospect->knobs[n].value, *on = strstr(value, " on ");
        for (size_t at = 0; on != NULL && at < role->host_count; at++)
            if (text_equal(on + strlen(" on "), role->hosts[at]->name)) {
                value =
                    arena_printf(of->arena, "%.*s on host %zu", (int)(on - value), value, at + 1);
                break;
            }
        values[count++] = value;
    }
    return count == 0                   ? "not set"
           : text_equal(name, "unread") ? "unknown"
                                        : joined(values, count, false, of->arena);
}

static struct Forecast foretold(const struct Comparing *of, size_t side, int64_t *values)
{
    struct Forecast forecast;
    const struct KnobTable *table = of->roles[side]->system->knobs;
    const struct Prospect *prospect = &of->seen[side]->prospect;
    knobs_read(table, prospect->knobs, prospect->knob_count, values);
    table->foretell(values, &forecast);
    return forecast;
}

/* With this one setting of the other side, would it take another time, or lose something else? */
static const char *unproven_by(const struct Comparing *of, const char *name)
{
    const struct KnobTable *table = of->roles[0]->system->knobs;
    int64_t values[2][KNOB_ROWS_MAX];
    if (table == NULL)
        return HOW_LONG;
    struct Forecast now = foretold(of, 0, values[0]), then;
    (void)foretold(of, 1, values[1]);
    for (size_t n = 0; n < table->row_count; n++) {
        if (!text_equal(table->rows[n].name, name))
            continue;
        values[0][n] = values[1][n];
        table->foretell(values[0], &then);
        bool loses = now.acked.high_ns != then.acked.high_ns || now.lossless != then.lossless;
        bool takes = now.failover.low_ns != then.failover.low_ns ||
                     now.failover.high_ns != then.failover.high_ns;
        return takes && loses ? HOW_LONG ", " WHAT_IS_LOST : loses ? WHAT_IS_LOST : HOW_LONG;
    }
    return text_equal(name, "appendonly") || text_equal(name, "save") ? WHAT_IS_LOST : HOW_LONG;
}

static bool named_before(const struct Prospect *prospect, size_t count, const char *name)
{
    for (size_t n = 0; n < count; n++)
        if (text_equal(prospect->knobs[n].name, name))
            return true;
    return false;
}

static void compare_knobs(const struct Comparing *of)
{
    for (size_t side = 0; side < 2; side++) {
        const struct Prospect *prospect = &of->seen[side]->prospect;
        for (size_t n = 0; n < prospect->knob_count; n++) {
            const char *name = prospect->knobs[n].name;
            const struct Prospect *first = &of->seen[0]->prospect;
            if (is_state(name) || named_before(prospect, n, name) ||
                (side == 1 && named_before(first, first->knob_count, name)))
                continue;
            const char *const values[2] = {knob_of(of, 0, name), knob_of(of, 1, name)};
            differ(of, name, values, is_product(name) ? THIS_VERSION : unproven_by(of, name));
        }
    }
}

static void compare_range(const struct Comparing *of)
{
    char ranges[2][64];
    for (size_t side = 0; side < 2; side++) {
        const struct Span *range = &of->seen[side]->prospect.failover;
        span_say(range->low_ns, range->high_ns, ranges[side]);
    }
    const char *const values[2] = {arena_text(of->arena, ranges[0]),
                                   arena_text(of->arena, ranges[1])};
    differ(of, "failover expected in", values, HOW_LONG);
}

static bool is_read(const struct SurveyRole *role)
{
    return role != NULL && role->prospect_known && role->prospect.not_ready == NULL;
}

static void compare_system(const struct Comparing *of)
{
    const struct SystemKind *kinds[2] = {of->roles[0]->system, of->roles[1]->system};
    const char *const names[2] = {kinds[0] != NULL ? kinds[0]->name : "none",
                                  kinds[1] != NULL ? kinds[1]->name : "none"};
    differ(of, "system", names, AT_ALL);
    if (kinds[0] == NULL || kinds[0] != kinds[1])
        return;
    const char *known[2];
    for (size_t side = 0; side < 2; side++)
        known[side] = is_read(of->seen[side]) ? "read" : "unknown";
    if (text_equal(known[0], "unknown") || text_equal(known[1], "unknown")) {
        differ(of, "settings", known, AT_ALL);
        return;
    }
    compare_knobs(of);
    compare_range(of);
}

static void compare_role(const struct Comparing *of)
{
    if (of->roles[0] == NULL || of->roles[1] == NULL) {
        const char *const there[2] = {of->roles[0] != NULL ? "there" : "missing",
                                      of->roles[1] != NULL ? "there" : "missing"};
        differ(of, "role", there, AT_ALL);
        return;
    }
    differ(of, "hosts", (const char *const[2]){count_of(of, 0), count_of(of, 1)}, WHO_IS_LEFT);
    differ(of, "zones", (const char *const[2]){zones_of(of, 0), zones_of(of, 1)}, WHO_IS_LEFT);
    differ(of, "its machines carry", (const char *const[2]){company_of(of, 0), company_of(of, 1)},
           WHAT_GOES_ALONG);
    differ(of, "run as", (const char *const[2]){run_of(of, 0), run_of(of, 1)}, WHO_RESTARTS);
    if (role_is_run(of->roles[0]) && role_is_run(of->roles[1]))
        differ(of, "Restart=", (const char *const[2]){restart_of(of, 0), restart_of(of, 1)},
               WHO_RESTARTS);
    compare_system(of);
}

void parity_compare(const struct ParitySide sides[2], const struct List *roles, struct Arena *arena,
                    struct List *out)
{
    const char *const *names = roles->items;
    for (size_t n = 0; n < roles->count; n++) {
        struct Comparing of = {.sides = sides, .name = names[n], .arena = arena, .out = out};
        for (size_t side = 0; side < 2; side++) {
            of.roles[side] = environment_role(sides[side].environment, names[n]);
            of.seen[side] =
                of.roles[side] != NULL ? survey_role(sides[side].survey, of.roles[side]) : NULL;
        }
        if (of.roles[0] != NULL || of.roles[1] != NULL)
            compare_role(&of);
    }
}

/* ---- Which roles ---- */

static void add_name(struct List *out, const char *name, struct Arena *arena)
{
    const char **names = out->items;
    for (size_t n = 0; n < out->count; n++)
        if (text_equal(names[n], name))
            return;
    if (name != NULL)
        *(const char **)list_add(out, arena, sizeof(const char *)) = name;
}

void parity_roles(const struct Scenario *scenario, const struct Environment *const environments[2],
                  struct Arena *arena, struct List *out)
{
    const struct TargetSpec *targets = scenario->targets.items;
    const struct StepSpec *steps = scenario->steps.items;
    const struct ProbeSpec *probes = scenario->probes.items;
    for (size_t n = 0; n < scenario->targets.count; n++)
        add_name(out, targets[n].role, arena);
    for (size_t n = 0; n < scenario->steps.count; n++)
        add_name(out, steps[n].role, arena);
    for (size_t n = 0; n < scenario->probes.count; n++)
        add_name(out, probes[n].role, arena);
    for (size_t side = 0; side < 2; side++) {
        struct Plan named = {.scenario = scenario, .environment = environments[side]};
        struct List between = {.items = NULL};
        for (size_t n = 0; n < scenario->steps.count; n++)
            if (step_has_edges(&steps[n]))
                edging_roles(&named, &steps[n], false, arena, &between);
        for (size_t n = 0; n < between.count; n++)
            add_name(out, ((const struct Role *const *)between.items)[n]->name, arena);
        const struct Role *roles = environments[side]->roles.items;
        for (size_t n = 0; n < environments[side]->roles.count; n++)
            if (roles[n].system != NULL && roles[n].system->ledger == NULL)
                add_name(out, roles[n].name, arena);
    }
}
