/* engine_foresee_test.c - what a plan says of a host before anything is done there. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../../runner/engine/foresee.h"
#include "../../runner/systems/kinds.h"

static const struct FaultKind KIND = {.name = "break"};
static const struct StepSpec STEP = {.name = "break it", .kind = &KIND};
static const struct SystemKind SYSTEM = {.name = "watched"};
static const struct Role ROLE = {.name = "api", .system = &SYSTEM};
static const struct Environment NO_ROLES = {.name = "staging"};

/* What the plan says of a host that is found with this machine-id; NULL where it is content. */
static const struct Obstacle *seen(const char *wanted, const char *found, struct Arena *arena)
{
    struct Plan *plan = arena_zero(arena, 1, sizeof *plan);
    struct Target *target = arena_zero(arena, 1, sizeof *target);
    plan->arena = arena;
    *target = (struct Target){.name = "api-1", .machine_id = wanted};
    struct SurveyHost host = {
        .role = &ROLE,
        .target = target,
        .answered = true,
        .facts = {.host = target, .machine_id_hash = found, .main_pid = "", .traces = ""}};
    assert_true(foresee_host(plan, &STEP, &host));
    return plan->obstacles.count > 0 ? plan->obstacles.items : NULL;
}

static void test_another_machine_at_the_address_is_refused(void **state)
{
    const struct Obstacle *said = seen("7c1e", "90ab", *state);
    assert_non_null(said);
    assert_int_equal(said->code, ERR_IDENTITY);
    assert_string_equal(said->text, "host 'api-1' is not the machine that `machine_id:` names");
    assert_non_null(seen("7c1e", "", *state)); /* it has none, or does not say */
}

static void test_the_machine_that_is_named_or_any_is_fine(void **state)
{
    assert_null(seen("7c1e", "7c1e", *state));
    assert_null(seen(NULL, "90ab", *state));
}

/* A step that asks for a failover has a row in the plan, and no kind of fault. */
static void test_a_failover_that_is_asked_for_has_a_range_of_its_own(void **state)
{
    struct Arena *arena = *state;
    struct StepSpec step = {.name = "move it", .type = STEP_FAILOVER, .role = "api"};
    struct Scenario scenario = {.steps = {.items = &step, .count = 1}};
    struct PlannedFault fault = {.step = &step, .role = &ROLE, .chosen = true};
    struct Plan plan = {.arena = arena,
                        .environment = &NO_ROLES,
                        .scenario = &scenario,
                        .faults = {.items = &fault, .count = 1}};
    const struct Role led = {.name = "api", .system = &http_system};
    struct SurveyRole role = {.role = &led, .prospect_known = true};
    struct Survey survey = {.arena = arena, .roles = {.items = &role, .count = 1}};
    role.prospect.failover = (struct Span){8, 17};
    role.prospect.planned = (struct Span){0, 7};

    foresee_roles(&plan, &survey);

    assert_int_equal(plan.foresights.count, 1);
    assert_int_equal(((struct Foresight *)plan.foresights.items)->failover.high_ns, 7);
}

/* ---- where nobody demotes a primary ---- */

static const struct SystemKind UNWATCHED = {.name = "unwatched", .unwatched = true};
static const struct Role DB = {.name = "db", .system = &UNWATCHED, .service.unit = "db.service"};
static const struct Role APP = {.name = "app"};
static const struct TargetSpec BY_APP = {.role = "app"}; /* another name of the same machine */
static const struct Field NONE[] = {{.name = NULL}};
static const struct FaultKind STOP = {.name = "stop", .config.fields = NONE, .stops_service = true};
static const struct FaultKind KILL = {.name = "kill", .config.fields = NONE, .stops_service = true};
static const struct FaultKind RESTART = {.name = "restart", .config.fields = NONE};
static const struct FaultKind REBOOT = {
    .name = "reboot", .config.fields = NONE, .stops_service = true, .takes_machine = true};
static const struct FaultKind ISOLATE = {
    .name = "isolate", .config.fields = NONE, .partitions = true};

/* Why a drill of these faults on the primary, and then of a failover, is refused; NULL: it is not.
 */
static const char *refused_of(const struct Role *db, struct Arena *arena,
                              const struct StepSpec *steps, size_t count, const char *restart)
{
    struct Target primary = {.name = "db-1"};
    struct Scenario scenario = {.steps = {.items = (void *)(uintptr_t)steps, .count = count}};
    struct PlannedFault *faults = arena_zero(arena, count, sizeof *faults);
    struct HostFacts facts = {.host = &primary, .restart = restart};
    struct SurveyRole role = {.role = db, .primary = &primary};
    struct Plan plan = {.arena = arena,
                        .scenario = &scenario,
                        .faults = {.items = faults, .count = count},
                        .facts = {.items = &facts, .count = 1}};
    struct Obstacle obstacle;
    for (size_t at = 0; at < count; at++)
        faults[at] = (struct PlannedFault){
            .step = &steps[at],
            .target = &primary,
            .role = steps[at].target == &BY_APP ? &APP : db,
            .chosen = true,
            .procedure = {.once = steps[at].kind == &KILL && steps[at].hold_ns < 0}};
    return foresee_promotion(&plan, &role, &obstacle) ? obstacle.text : NULL;
}

static const char *refused(struct Arena *arena, const struct StepSpec *steps, size_t count,
                           const char *restart)
{
    return refused_of(&DB, arena, steps, count, restart);
}

#define FAULT(kind_, ...)                                                                          \
    {                                                                                              \
        .name = "it", .kind = &(kind_), .type = STEP_FAULT, __VA_ARGS__                            \
    }
#define FAILOVER(...)                                                                              \
    {                                                                                              \
        .name = "move it", .type = STEP_FAILOVER, .role = "db", __VA_ARGS__                        \
    }

static void test_what_may_leave_two_primaries_is_refused(void **state)
{
    const struct StepSpec reboots[] = {FAULT(REBOOT, .hold_ns = -1), FAILOVER(.forced = false)};
    const struct StepSpec restarts[] = {FAULT(RESTART, .hold_ns = -1), FAILOVER(.forced = false)};
    const struct StepSpec killed[] = {FAULT(KILL, .hold_ns = -1), FAILOVER(.forced = false)};
    const struct StepSpec alone[] = {FAULT(ISOLATE, .hold_ns = 9), FAILOVER(.forced = true)};
    const struct StepSpec late[] = {FAILOVER(.forced = true), FAULT(STOP, .hold_ns = -1)};
    const struct StepSpec brief[] = {FAULT(STOP, .hold_ns = 9), FAILOVER(.forced = true)};

    assert_non_null(strstr(refused(*state, reboots, 2, ""), "would boot as a second primary"));
    assert_non_null(strstr(refused(*state, restarts, 2, ""), "a second primary beside"));
    assert_non_null(strstr(refused(*state, killed, 2, "on-failure"), "Restart=on-failure on"));
    assert_non_null(strstr(refused(*state, alone, 2, ""), "a forced failover of role 'db'"));
    assert_non_null(strstr(refused(*state, late, 2, ""), "a forced failover of role 'db'"));
    assert_non_null(strstr(refused(*state, brief, 2, ""), "a forced failover of role 'db'"));
    const struct StepSpec again[] = {FAULT(STOP, .hold_ns = -1), FAILOVER(.forced = false),
                                     FAULT(ISOLATE, .hold_ns = 9), FAILOVER(.forced = true)};
    assert_null(refused(*state, again, 3, ""));
    assert_non_null(strstr(refused(*state, again, 4, ""), "a forced failover of role 'db'"));
}

static void test_a_kill_that_a_supervisor_may_revive_is_refused(void **state)
{
    static const char sentence[] = "a supervisor on host 'db-1' may bring the killed primary back "
                                   "beside the one that is promoted";
    const struct Role db = {.name = "db", .system = &UNWATCHED, .service.pidfile = "/run/db.pid"};
    struct Role dead = db;
    dead.service.stays_dead = true;
    const struct StepSpec once[] = {FAULT(KILL, .hold_ns = -1), FAILOVER(.forced = false)};
    const struct StepSpec kept[] = {FAULT(KILL, .hold_ns = 60), FAILOVER(.forced = false)};
    const struct StepSpec stopped[] = {FAULT(STOP, .hold_ns = -1), FAILOVER(.forced = false)};

    assert_string_equal(refused_of(&db, *state, once, 2, ""), sentence);
    assert_string_equal(refused_of(&db, *state, kept, 2, ""), sentence);
    assert_null(refused_of(&db, *state, once, 1, "")); /* nobody is promoted beside it */
    assert_null(refused_of(&db, *state, stopped, 2, ""));
    assert_null(refused_of(&dead, *state, once, 2, ""));
}

/* Not by a failover alone: nobody gives its writes back to one that the undo finds running. */
static void test_a_primary_that_comes_back_closed_is_not_revived_by_others(void **state)
{
    static const struct SystemKind closed = {.unwatched = true, .left_as = "it comes back closed"};
    struct Role db = {.name = "db", .system = &closed, .service.pidfile = "/run/db.pid"};
    const struct StepSpec once[] = {FAULT(KILL, .hold_ns = -1)};
    const struct StepSpec stopped[] = {FAULT(STOP, .hold_ns = -1)};

    assert_string_equal(refused_of(&db, *state, once, 1, ""),
                        "a supervisor on host 'db-1' may start the killed primary before the undo "
                        "does: it comes back closed");
    db.service.stays_dead = true;
    assert_null(refused_of(&db, *state, once, 1, "no"));
    assert_non_null(strstr(refused_of(&db, *state, once, 1, "on-abnormal"),
                           "Restart=on-abnormal on host 'db-1' may start the killed primary"));
    assert_null(refused_of(&db, *state, stopped, 1, "on-abnormal"));
}

static void test_its_machine_by_another_name_is_the_same(void **state)
{
    const struct StepSpec reboots[] = {FAULT(REBOOT, .hold_ns = -1, .target = &BY_APP),
                                       FAILOVER(.forced = false)};
    const struct StepSpec others[] = {FAULT(STOP, .hold_ns = -1, .target = &BY_APP),
                                      FAILOVER(.forced = false)};

    assert_non_null(strstr(refused(*state, reboots, 2, ""), "would boot as a second primary"));
    assert_null(refused(*state, others, 2, "")); /* its own service, and no primary */
}

static void test_a_kill_that_nobody_looks_at_again_is_no_fence(void **state)
{
    const struct StepSpec killed[] = {FAULT(KILL, .hold_ns = -1), FAILOVER(.forced = true)};

    assert_non_null(strstr(refused(*state, killed, 2, "no"), "a forced failover of role 'db'"));
}

static void test_an_undo_that_could_ask_nobody_is_refused(void **state)
{
    const struct StepSpec steps[] = {FAULT(ISOLATE, .hold_ns = -1), FAULT(STOP, .hold_ns = -1)};

    assert_non_null(strstr(refused(*state, steps, 2, ""), "still be cut off from each other"));
}

static void test_what_leaves_one_primary_is_fine(void **state)
{
    const struct StepSpec stopped[] = {FAULT(STOP, .hold_ns = -1), FAILOVER(.forced = false)};
    const struct StepSpec killed[] = {FAULT(KILL, .hold_ns = -1), FAILOVER(.forced = false)};
    const struct StepSpec lost[] = {FAULT(ISOLATE, .hold_ns = 9), FAULT(STOP, .hold_ns = -1),
                                    FAILOVER(.forced = true)};
    const struct StepSpec reboot[] = {FAULT(REBOOT, .hold_ns = -1)};

    assert_null(refused(*state, stopped, 2, "always"));
    assert_null(refused(*state, killed, 2, "no"));
    assert_null(refused(*state, lost, 3, "always"));
    assert_null(refused(*state, reboot, 1, "always"));
}

/* ---- where others promote, and nobody demotes ---- */

static const struct SystemKind NEVER_DEMOTES = {.name = "never", .never_demotes = true};
static const struct FaultKind FREEZE = {
    .name = "freeze", .config.fields = NONE, .hangs_service = true};
static const struct FaultKind DELAY = {
    .name = "delay", .config.fields = NONE, .needs_filter = true};
static const struct FaultKind LOAD = {.name = "cpu_load", .config.fields = NONE};
static const struct FaultKind EXHAUST = {.name = "exhaust", .config.fields = NONE};

/* Why one fault on db-1, of which these edges are, is refused; NULL: it is not. */
static const char *hidden_after(bool stopped, struct Arena *arena,
                                const struct FaultKind *fault_kind, size_t host, struct Edge *edges,
                                size_t edge_count)
{
    static struct Target hosts[] = {{.name = "db-1"}, {.name = "db-2"}};
    static const struct Target *const both[] = {&hosts[0], &hosts[1]};
    struct Role *db = arena_zero(arena, 1, sizeof *db);
    *db = (struct Role){.name = "db",
                        .system = &NEVER_DEMOTES,
                        .hosts = both,
                        .host_count = 2,
                        .service.unit = "db.service"};
    for (size_t n = 0; n < edge_count; n++) {
        edges[n].to = edges[n].to == NULL ? &hosts[0] : edges[n].to;
        edges[n].from = edges[n].from == NULL ? &hosts[1] : edges[n].from;
    }
    struct StepSpec steps[] = {FAULT(STOP, .hold_ns = 60), FAULT(*fault_kind, .hold_ns = 9)};
    struct Scenario scenario = {.steps = {.items = steps, .count = 2}};
    struct PlannedFault faults[] = {
        {.step = &steps[0], .target = both[0], .role = db, .chosen = true},
        {.step = &steps[1],
         .target = both[host],
         .role = db,
         .chosen = true,
         .edges = {.items = edges, .count = edge_count}}};
    struct SurveyRole role = {.role = db, .primary = both[0]};
    struct Plan plan = {
        .arena = arena,
        .scenario = &scenario,
        .faults = {.items = stopped ? faults : &faults[1], .count = stopped ? 2 : 1}};
    struct Obstacle obstacle;
    return foresee_promotion(&plan, &role, &obstacle) ? obstacle.text : NULL;
}

static const char *hidden(struct Arena *arena, const struct FaultKind *fault_kind, size_t host,
                          struct Edge *edges, size_t edge_count)
{
    return hidden_after(false, arena, fault_kind, host, edges, edge_count);
}

static void test_a_machine_may_be_lost_once_its_server_is_stopped(void **state)
{
    assert_null(hidden_after(true, *state, &ISOLATE, 0, NULL, 0));
    assert_non_null(hidden_after(true, *state, &ISOLATE, 1, NULL, 0)); /* another host is */
}

static void test_a_running_primary_is_not_hidden_from_who_promotes(void **state)
{
    struct Target client = {.name = "client"};
    struct Edge to_peer[] = {{.from = NULL}};
    struct Edge to_client[] = {{.from = &client}};

    assert_string_equal(hidden(*state, &ISOLATE, 0, NULL, 0),
                        "`it` on host 'db-1' may leave two primaries of role 'db': another is "
                        "promoted beside one that runs, and never demotes nobody");
    assert_non_null(hidden(*state, &ISOLATE, 1, NULL, 0)); /* a replica may promote itself */
    assert_non_null(hidden(*state, &ISOLATE, 0, to_peer, 1));
    assert_null(hidden(*state, &ISOLATE, 0, to_client, 1));
    assert_non_null(hidden(*state, &DELAY, 0, NULL, 0));
    assert_non_null(hidden(*state, &FREEZE, 0, NULL, 0));
    assert_non_null(hidden(*state, &EXHAUST, 0, NULL, 0));
    assert_null(hidden(*state, &LOAD, 0, NULL, 0));
}

/* `api` stands on the machine of db-1, and the step names only that role. */
static void test_another_role_s_name_hides_as_well(void **state)
{
    struct Target db = {.name = "db-1", .address = "10.0.0.1"};
    struct Target api = {.name = "api-1", .address = "10.0.0.1"};
    const struct Target *const of_db[] = {&db}, *const of_api[] = {&api};
    struct Role roles[] = {
        {.name = "db", .system = &NEVER_DEMOTES, .hosts = of_db, .host_count = 1},
        {.name = "api", .hosts = of_api, .host_count = 1}};
    static const struct FaultKind *const hide[] = {&ISOLATE, &REBOOT, &FREEZE, &EXHAUST};
    for (size_t n = 0; n < COUNT_OF(hide); n++) {
        struct StepSpec step = FAULT(*hide[n], .hold_ns = 9);
        struct Scenario scenario = {.steps = {.items = &step, .count = 1}};
        struct PlannedFault fault = {.step = &step, .target = &api, .role = &roles[1]};
        struct Environment environment = {.roles = {.items = roles, .count = 2}};
        struct Plan plan = {.arena = *state,
                            .environment = &environment,
                            .scenario = &scenario,
                            .faults = {.items = &fault, .count = 1}};
        struct Survey survey = {.roles.count = 0};
        foresee_roles(&plan, &survey);
        assert_int_equal(plan.obstacles.count, 1);
        api.address = "10.0.0.2";
        assert_false(foresee_hidden(&plan, &roles[0], &(struct Obstacle){.text = NULL}));
        api.address = "10.0.0.1";
    }
}

static void test_who_is_promoted_by_itself_needs_no_step_for_it(void **state)
{
    assert_non_null(strstr(hidden(*state, &REBOOT, 0, NULL, 0), "would boot as a second primary"));
    assert_non_null(strstr(hidden(*state, &RESTART, 0, NULL, 0), "a second primary beside"));
    assert_null(hidden(*state, &STOP, 0, NULL, 0));
}

/* Why this drill, in which the locks leave something on the primary, is refused; NULL: it is not.
 */
static const struct FaultKind LOCK = {.name = "lock_row", .config.fields = NONE};
static const char *outlasts(struct Arena *arena, const struct StepSpec *steps, size_t count,
                            bool on_replica)
{
    struct Target hosts[] = {{.name = "db-1"}, {.name = "db-2"}};
    const struct Target *const both[] = {&hosts[0], &hosts[1]};
    struct Role db = {.name = "db", .system = &UNWATCHED, .hosts = both, .host_count = 2};
    struct Scenario scenario = {.steps = {.items = (void *)(uintptr_t)steps, .count = count}};
    struct PlannedFault *faults = arena_zero(arena, count, sizeof *faults);
    struct SurveyRole role = {.role = &db, .primary = &hosts[0]};
    struct Plan plan = {
        .arena = arena, .scenario = &scenario, .faults = {.items = faults, .count = count}};
    struct Obstacle obstacle;
    for (uint32_t at = 0; at < count; at++)
        faults[at] = (struct PlannedFault){
            .step = &steps[at],
            .step_index = at,
            .target = &hosts[on_replica && steps[at].kind != &LOCK ? 1 : 0],
            .role = &db,
            .chosen = true,
            .procedure = {.ends_on_primary = steps[at].kind == &LOCK && steps[at].config == NULL}};
    return foresee_ends_on_primary(&plan, &role, &obstacle) ? obstacle.text : NULL;
}

static void test_what_only_a_primary_takes_back_ends_before_it_may_move(void **state)
{
    const struct StepSpec moved[] = {FAULT(LOCK, .hold_ns = -1), FAILOVER(.forced = false)};
    const struct StepSpec killed[] = {FAULT(LOCK, .hold_ns = -1), FAULT(KILL, .hold_ns = 9)};
    const struct StepSpec before[] = {FAULT(ISOLATE, .hold_ns = 9), FAULT(LOCK, .hold_ns = 9)};
    const struct StepSpec beside[] = {FAULT(LOCK, .hold_ns = 9, .together = 1),
                                      FAULT(RESTART, .hold_ns = -1, .together = 1)};
    const struct StepSpec timed[] = {FAULT(LOCK, .hold_ns = 9, .timed = true),
                                     FAULT(REBOOT, .hold_ns = -1, .timed = true)};

    assert_string_equal(outlasts(*state, moved, 2, false),
                        "`move it` may move the primary of role 'db', and what `it` changed there "
                        "might stay behind on another host");
    assert_non_null(outlasts(*state, killed, 2, false));
    assert_non_null(outlasts(*state, before, 2, false));
    assert_non_null(outlasts(*state, beside, 2, false));
    assert_non_null(outlasts(*state, timed, 2, false));
}

static void test_what_is_over_before_or_leaves_nothing_may_stand_beside_a_failover(void **state)
{
    const struct StepSpec over[] = {FAULT(LOCK, .hold_ns = 9), FAILOVER(.forced = false)};
    const struct StepSpec own_row[] = {FAULT(LOCK, .hold_ns = -1, .config = "a query"),
                                       FAILOVER(.forced = false)};
    const struct StepSpec replica[] = {FAULT(LOCK, .hold_ns = -1), FAULT(KILL, .hold_ns = -1)};
    const struct StepSpec alone[] = {FAULT(LOCK, .hold_ns = -1), FAULT(LOCK, .hold_ns = -1)};

    assert_null(outlasts(*state, over, 2, false));
    assert_null(outlasts(*state, own_row, 2, false));
    assert_null(outlasts(*state, replica, 2, true));
    assert_null(outlasts(*state, alone, 2, false));
}

/* A drill of a pair whose primary, api-1, is taken away: the sentence that refuses it, or NULL. */
struct Taking {
    const struct SystemKind *system;
    bool leaves, machine, replica, forgets;
    const struct FaultKind *kind; /* NULL: it kills */
    const char *unit;
};
static const char *takes(const struct Taking *of, const char **returns, struct Arena *arena)
{
    static const struct Field unit[] = {{.name = "unit", .type = FIELD_TEXT}, {.name = NULL}};
    static const struct FaultKind stops = {
        .name = "kill", .config.fields = unit, .needs_service = true, .stops_service = true};
    struct Target *hosts = arena_zero(arena, 2, sizeof *hosts);
    hosts[0].name = "api-1";
    hosts[1].name = "api-2";
    struct Role *role = arena_zero(arena, 1, sizeof *role);
    *role = (struct Role){.name = "api", .system = of->system};
    struct TargetSpec target = {.role = "api"};
    struct StepSpec step = {.name = "take it",
                            .kind = of->kind != NULL ? of->kind : &stops,
                            .config = &of->unit,
                            .target = &target};
    struct Scenario scenario = {.steps = {.items = &step, .count = 1}, .leave_stopped = of->leaves};
    struct PlannedFault fault = {.step = &step,
                                 .role = role,
                                 .target = &hosts[of->replica ? 1 : 0],
                                 .chosen = true,
                                 .procedure = {.from_here = of->machine}};
    struct Plan *plan = arena_zero(arena, 1, sizeof *plan);
    plan->arena = arena;
    plan->environment = &NO_ROLES;
    plan->scenario = &scenario;
    plan->faults = (struct List){.items = &fault, .count = 1};
    struct SurveyRole surveyed = {.role = role, .primary = &hosts[0], .prospect_known = true};
    surveyed.prospect.persistence = of->forgets ? PERSIST_NONE : PERSIST_ALL;
    struct Survey survey = {.arena = arena, .roles = {.items = &surveyed, .count = 1}};

    foresee_roles(plan, &survey);

    const struct Obstacle *said = plan->obstacles.items;
    if (returns != NULL)
        *returns = ((const struct Foresight *)plan->foresights.items)->returns;
    return plan->obstacles.count > 0 ? said->text : NULL;
}

static bool never(const void *config, bool by_boot)
{
    (void)config;
    (void)by_boot;
    return false;
}

static bool not_by_boot(const void *config, bool by_boot)
{
    (void)config;
    return !by_boot;
}

static const struct SystemKind BARE = {.name = "bare", .returns_safely = never};
static const struct SystemKind REJOINS = {.name = "rejoins", .returns_safely = not_by_boot};
static const struct SystemKind COORDINATED = {.name = "coordinated"};

static void test_no_drill_starts_a_primary_that_may_become_a_second_one(void **state)
{
    struct Arena *arena = *state;
    assert_string_equal(takes(&(struct Taking){.system = &BARE}, NULL, arena),
                        "role 'api': the undo would start its primary 'api-1' as it is, which may "
                        "make a second one");
    assert_string_equal(takes(&(struct Taking){.system = &REJOINS, .machine = true}, NULL, arena),
                        "role 'api': the boot of its primary 'api-1' may start a second one");
    /* Its boot does not ask what the drill says. */
    assert_non_null(
        takes(&(struct Taking){.system = &BARE, .machine = true, .leaves = true}, NULL, arena));
}

static void test_a_start_that_asks_no_system_must_be_safe_by_itself(void **state)
{
    static const char sentence[] = "role 'api': a step would start its primary 'api-1' as it is, "
                                   "which may make a second one";
    struct Arena *arena = *state;
    assert_string_equal(takes(&(struct Taking){.system = &REJOINS, .unit = "shopdb"}, NULL, arena),
                        sentence);
    /* It starts it whatever the drill leaves. */
    assert_string_equal(
        takes(&(struct Taking){.system = &REJOINS, .kind = &RESTART, .leaves = true}, NULL, arena),
        sentence);
    assert_null(takes(&(struct Taking){.system = &COORDINATED, .unit = "shopdb"}, NULL, arena));
    assert_null(takes(&(struct Taking){.system = &COORDINATED, .kind = &RESTART}, NULL, arena));
    assert_null(takes(&(struct Taking){.system = &REJOINS, .kind = &RESTART, .replica = true}, NULL,
                      arena));
    assert_null(
        takes(&(struct Taking){.system = &REJOINS, .unit = "shopdb", .leaves = true}, NULL, arena));
}

static void test_what_a_plain_start_leaves_is_said_in_the_system_s_words(void **state)
{
    static const struct SystemKind closed = {.returns_safely = not_by_boot,
                                             .left_as = "it would come back closed"};
    struct Taking boots = {.system = &closed, .machine = true}, unit = {.system = &closed};
    const struct Taking restarts = {.system = &closed, .kind = &RESTART};
    unit.unit = "shopdb";
    assert_string_equal(takes(&boots, NULL, *state), "role 'api': its boot would start its primary "
                                                     "'api-1' as it is: it would come back closed");
    assert_non_null(strstr(takes(&restarts, NULL, *state), "a step would start its primary"));
    assert_non_null(strstr(takes(&unit, NULL, *state), "a step would start its primary"));
    unit.replica = true;
    assert_null(takes(&unit, NULL, *state));
}

static void test_one_that_returns_safely_or_stays_down_is_drilled(void **state)
{
    struct Arena *arena = *state;
    const char *returns = NULL;
    assert_null(takes(&(struct Taking){.system = &REJOINS}, NULL, arena));
    assert_null(takes(&(struct Taking){.system = &COORDINATED, .machine = true}, NULL, arena));
    assert_null(takes(&(struct Taking){.system = &BARE, .replica = true}, NULL, arena));
    assert_null(takes(&(struct Taking){.system = &BARE, .leaves = true}, &returns, arena));
    assert_string_equal(returns, "api-1 (?) stays down until somebody starts it");
}

/* Why `to` is refused of a role whose db-1 leads and db-2 follows; NULL: it is not. */
static const char *named(struct Arena *arena, const struct StepSpec *steps, size_t count,
                         enum Rank rank, enum Known whole)
{
    struct Target *hosts = arena_zero(arena, 2, sizeof *hosts);
    const struct Target **list = arena_zero(arena, 2, sizeof(void *));
    struct SurveyHost *found = arena_zero(arena, 2, sizeof *found);
    struct Role *role = arena_zero(arena, 1, sizeof *role);
    *role = (struct Role){.name = "db", .system = &SYSTEM, .hosts = list, .host_count = 2};
    for (size_t at = 0; at < 2; at++) {
        hosts[at].name = at == 0 ? "db-1" : "db-2";
        list[at] = &hosts[at];
        found[at] = (struct SurveyHost){
            .role = role, .target = &hosts[at], .standing.rank = at == 0 ? RANK_PRIMARY : rank};
    }
    struct Scenario scenario = {.steps = {.items = (void *)(uintptr_t)steps, .count = count}};
    struct Plan plan = {.arena = arena, .scenario = &scenario};
    struct Survey survey = {.arena = arena, .hosts = {.items = found, .count = 2}};
    struct SurveyRole of = {.role = role,
                            .primary = &hosts[0],
                            .redundancy = {.complete = whole, .why = "db-2 is 90 MiB behind"}};
    struct Obstacle obstacle;
    return foresee_promoted(&plan, &survey, &of, &obstacle) ? obstacle.text : NULL;
}

static void test_who_is_to_lead_must_follow_the_primary(void **state)
{
    const struct StepSpec second[] = {FAILOVER(.promoted = "db-2")};
    const struct StepSpec first[] = {FAILOVER(.promoted = "db-1")};
    const struct StepSpec there[] = {FAILOVER(.promoted = "db-2"), FAILOVER(.promoted = "db-1")};
    const struct StepSpec nobody[] = {FAILOVER(.promoted = "db-9")};

    assert_null(named(*state, second, 1, RANK_REPLICA, KNOWN_YES));
    assert_null(named(*state, there, 2, RANK_REPLICA, KNOWN_YES));
    assert_string_equal(named(*state, first, 1, RANK_REPLICA, KNOWN_YES),
                        "'db-1' cannot be made primary of role 'db': it leads already");
    assert_string_equal(named(*state, nobody, 1, RANK_REPLICA, KNOWN_YES),
                        "'db-9' cannot be made primary of role 'db': it has no such host");
    assert_string_equal(
        named(*state, second, 1, RANK_UNKNOWN, KNOWN_YES),
        "'db-2' cannot be made primary of role 'db': it is not known to follow the primary");
    assert_string_equal(named(*state, second, 1, RANK_REPLICA, KNOWN_NO),
                        "'db-2' cannot be made primary of role 'db': whether it follows is not "
                        "proven: db-2 is 90 MiB behind");
}

/* Also by an operator's restart, long before anybody could fail it over. */
static void test_a_primary_that_would_come_back_empty_is_not_restarted(void **state)
{
    struct Taking restart = {.system = &COORDINATED, .kind = &RESTART, .forgets = true};
    assert_non_null(strstr(takes(&restart, NULL, *state), "'api-1' would come back empty"));
    restart.replica = true;
    assert_null(takes(&restart, NULL, *state));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_another_machine_at_the_address_is_refused),
        cmocka_unit_test(test_the_machine_that_is_named_or_any_is_fine),
        cmocka_unit_test(test_a_failover_that_is_asked_for_has_a_range_of_its_own),
        cmocka_unit_test(test_who_is_to_lead_must_follow_the_primary),
        cmocka_unit_test(test_what_may_leave_two_primaries_is_refused),
        cmocka_unit_test(test_a_kill_that_a_supervisor_may_revive_is_refused),
        cmocka_unit_test(test_a_primary_that_comes_back_closed_is_not_revived_by_others),
        cmocka_unit_test(test_its_machine_by_another_name_is_the_same),
        cmocka_unit_test(test_a_kill_that_nobody_looks_at_again_is_no_fence),
        cmocka_unit_test(test_an_undo_that_could_ask_nobody_is_refused),
        cmocka_unit_test(test_what_leaves_one_primary_is_fine),
        cmocka_unit_test(test_a_machine_may_be_lost_once_its_server_is_stopped),
        cmocka_unit_test(test_a_running_primary_is_not_hidden_from_who_promotes),
        cmocka_unit_test(test_another_role_s_name_hides_as_well),
        cmocka_unit_test(test_who_is_promoted_by_itself_needs_no_step_for_it),
        cmocka_unit_test(test_what_only_a_primary_takes_back_ends_before_it_may_move),
        cmocka_unit_test(test_what_is_over_before_or_leaves_nothing_may_stand_beside_a_failover),
        cmocka_unit_test(test_no_drill_starts_a_primary_that_may_become_a_second_one),
        cmocka_unit_test(test_a_start_that_asks_no_system_must_be_safe_by_itself),
        cmocka_unit_test(test_what_a_plain_start_leaves_is_said_in_the_system_s_words),
        cmocka_unit_test(test_one_that_returns_safely_or_stays_down_is_drilled),
        cmocka_unit_test(test_a_primary_that_would_come_back_empty_is_not_restarted),
    };
    struct Arena *arena = arena_new("foresee", 1 << 20);
    for (size_t at = 0; at < sizeof tests / sizeof *tests; at++)
        ((struct CMUnitTest *)(uintptr_t)&tests[at])->initial_state = arena;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return failed;
}
