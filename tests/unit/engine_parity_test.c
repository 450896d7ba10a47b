/* engine_parity_test.c - what decides a recovery and differs is named; equals are silent. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../runner/base/text.h"
#include "../../runner/engine/parity.h"
#include "../../runner/systems/kinds.h"

enum { HOSTS = 3, KNOBS = 12 };

/* An environment of three database hosts, and a proxy on a fourth. */
struct Side {
    struct Environment environment;
    struct Target targets[HOSTS + 1];
    const struct Target *hosts[HOSTS], *proxies[1];
    struct Role roles[2];
    struct SurveyHost found[HOSTS + 1];
    struct SurveyRole seen[2];
    struct Knob knobs[2][KNOBS];
    struct Survey survey;
};

/* As a lab's own answered, but for the names of hosts. */
static const struct Knob SENTINEL[] = {{"down-after-milliseconds", "5000"},
                                       {"quorum", "2 of 3 Sentinels"},
                                       {"failover-timeout", "10000"},
                                       {"parallel-syncs", "1"},
                                       {"Redis", "7.0.15"},
                                       {"appendonly", "yes"},
                                       {"save", "never"},
                                       {"min-replicas-to-write", "1"},
                                       {"min-replicas-max-lag", "10 s"},
                                       {"replica-priority", "100, 100"}};
static const struct Knob PATRONI[] = {{"ttl", "30 s"},
                                      {"loop_wait", "10 s"},
                                      {"retry_timeout", "10 s"},
                                      {"maximum_lag_on_failover", "1024 KiB"},
                                      {"synchronous_mode", "on"},
                                      {"failsafe_mode", "off"},
                                      {"use_pg_rewind", "on"},
                                      {"Patroni", "3.0.2"},
                                      {"PostgreSQL", "15.6"}};
static const struct Knob CLUSTER[] = {{"cluster-node-timeout", "15000"},
                                      {"replicas", "1"},
                                      {"primaries", "3"},
                                      {"cluster-replica-validity-factor", "10"},
                                      {"cluster-require-full-coverage", "yes"}};
static const struct Knob PROXY[] = {
    {"inter", "2s"}, {"fastinter", "500ms"}, {"timeout check", "1s"}, {"fall", "3"}, {"rise", "2"}};

static struct Side *side_new(struct Arena *arena, const char *name, const struct SystemKind *system,
                             const struct Knob *knobs, size_t count)
{
    struct Side *s = arena_zero(arena, 1, sizeof *s);
    for (size_t n = 0; n <= HOSTS; n++) {
        s->targets[n] = (struct Target){.name = arena_printf(arena, "%s-%zu", name, n + 1),
                                        .address = arena_printf(arena, "%s.%zu", name, n + 1)};
        s->found[n] = (struct SurveyHost){.role = &s->roles[n == HOSTS],
                                          .target = &s->targets[n],
                                          .answered = true,
                                          .facts = {.restart = "no"}};
        if (n < HOSTS)
            s->hosts[n] = &s->targets[n];
    }
    s->proxies[0] = &s->targets[HOSTS];
    s->roles[0] = (struct Role){.name = "db",
                                .hosts = s->hosts,
                                .host_count = HOSTS,
                                .service = {.unit = arena_printf(arena, "db@%s.service", name)},
                                .system = system};
    s->roles[1] = (struct Role){.name = "proxy",
                                .hosts = s->proxies,
                                .host_count = 1,
                                .service = {.unit = "haproxy.service"},
                                .system = &haproxy_system};
    memcpy(s->knobs[0], knobs, count * sizeof(*knobs));
    memcpy(s->knobs[1], PROXY, sizeof(PROXY));
    for (size_t n = 0; n < 2; n++)
        s->seen[n] =
            (struct SurveyRole){.role = &s->roles[n],
                                .prospect = {.knobs = s->knobs[n],
                                             .knob_count = n == 0 ? count : COUNT_OF(PROXY),
                                             .failover = {4, 10}},
                                .prospect_known = true};
    s->environment = (struct Environment){.name = name, .roles = {.items = s->roles, .count = 2}};
    s->survey = (struct Survey){.hosts = {.items = s->found, .count = HOSTS + 1},
                                .roles = {.items = s->seen, .count = 2},
                                .arena = arena};
    return s;
}

static const struct Difference *compared(struct Arena *arena, struct Side *one, struct Side *other,
                                         size_t *count)
{
    static const char *const names[] = {"db", "proxy"};
    const struct List roles = {.items = (void *)(uintptr_t)names, .count = COUNT_OF(names)};
    struct List out = {.items = NULL};
    const struct ParitySide sides[2] = {{&one->environment, &one->survey},
                                        {&other->environment, &other->survey}};
    parity_compare(sides, &roles, arena, &out);
    *count = out.count;
    return out.items;
}

/* One setting after another is another one on the other side. */
static void each_is_named(struct Arena *arena, const struct SystemKind *system,
                          const struct Knob *knobs, size_t count)
{
    for (size_t n = 0; n < count + COUNT_OF(PROXY); n++) {
        struct Side *one = side_new(arena, "staging", system, knobs, count);
        struct Side *other = side_new(arena, "production", system, knobs, count);
        size_t found = 0;
        struct Knob *knob = n < count ? &other->knobs[0][n] : &other->knobs[1][n - count];
        knob->value = "7";

        const struct Difference *rows = compared(arena, one, other, &found);

        assert_int_equal(found, 1);
        assert_string_equal(rows[0].what, knob->name);
        assert_string_equal(rows[0].role, n < count ? "db" : "proxy");
        assert_string_equal(rows[0].values[1], "7");
        assert_true(rows[0].unproven != NULL && rows[0].unproven[0] != '\0');
    }
}

static void test_each_setting_is_named(void **state)
{
    each_is_named(*state, &redis_sentinel_system, SENTINEL, COUNT_OF(SENTINEL));
    each_is_named(*state, &patroni_system, PATRONI, COUNT_OF(PATRONI));
    each_is_named(*state, &redis_cluster_system, CLUSTER, COUNT_OF(CLUSTER));
}

static void test_an_equal_pair_is_silent(void **state)
{
    size_t found = 1;
    struct Side *one = side_new(*state, "staging", &patroni_system, PATRONI, COUNT_OF(PATRONI));
    struct Side *other =
        side_new(*state, "production", &patroni_system, PATRONI, COUNT_OF(PATRONI));

    (void)compared(*state, one, other, &found);

    assert_int_equal(found, 0);
}

static void test_what_a_pass_does_not_prove_depends_on_the_setting(void **state)
{
    size_t found = 0;
    struct Side *one = side_new(*state, "staging", &patroni_system, PATRONI, COUNT_OF(PATRONI));
    struct Side *other =
        side_new(*state, "production", &patroni_system, PATRONI, COUNT_OF(PATRONI));
    other->knobs[0][0].value = "60 s";
    other->knobs[0][4].value = "off";

    const struct Difference *rows = compared(*state, one, other, &found);

    assert_int_equal(found, 2);
    assert_string_equal(rows[0].unproven, "how long a failover takes");
    assert_string_equal(rows[1].unproven, "what is lost");
}

/* Which host has which priority is no difference; which priorities they have is. */
static void test_names_of_hosts_are_none(void **state)
{
    size_t found = 0;
    struct Side *one = side_new(*state, "staging", &vrrp_system,
                                (const struct Knob[]){{"priority", "110 on staging-1"}}, 1);
    struct Side *other = side_new(*state, "production", &vrrp_system,
                                  (const struct Knob[]){{"priority", "110 on production-1"}}, 1);

    (void)compared(*state, one, other, &found);
    assert_int_equal(found, 0);
    other->knobs[0][0].value = "110 on production-2";
    const struct Difference *rows = compared(*state, one, other, &found);

    assert_int_equal(found, 1);
    assert_string_equal(rows[0].values[1], "110 on host 2");
}

static void test_which_host_answers_first_is_no_difference(void **state)
{
    size_t found = 1;
    struct Side *one = side_new(
        *state, "staging", &vrrp_system,
        (const struct Knob[]){{"priority", "110 on staging-1"}, {"priority", "100 on staging-2"}},
        2);
    struct Side *other = side_new(*state, "production", &vrrp_system,
                                  (const struct Knob[]){{"priority", "100 on production-2"},
                                                        {"priority", "110 on production-1"}},
                                  2);

    (void)compared(*state, one, other, &found);

    assert_int_equal(found, 0);
}

static void test_hosts_restarts_and_company_are_named(void **state)
{
    struct Side *one = side_new(*state, "staging", &patroni_system, PATRONI, COUNT_OF(PATRONI));
    struct Side *other =
        side_new(*state, "production", &patroni_system, PATRONI, COUNT_OF(PATRONI));
    size_t found = 0;
    other->found[1].facts.restart = "always";
    const struct Difference *rows = compared(*state, one, other, &found);
    assert_int_equal(found, 1);
    assert_string_equal(rows[0].what, "Restart=");
    assert_string_equal(rows[0].values[1], "always, no");

    other->found[1].facts.restart = "no";
    other->targets[HOSTS].address = other->targets[0].address;
    rows = compared(*state, one, other, &found);
    assert_int_equal(found, 2); /* of both roles */
    assert_string_equal(rows[0].what, "its machines carry");
    assert_string_equal(rows[0].values[1], "alone, alone, proxy");

    other->targets[HOSTS].address = "production.4";
    other->roles[0].host_count = 2;
    rows = compared(*state, one, other, &found);
    assert_int_equal(found, 1);
    assert_string_equal(rows[0].what, "hosts");
}

static void test_who_does_not_answer_is_no_equal(void **state)
{
    struct Side *one = side_new(*state, "staging", &patroni_system, PATRONI, COUNT_OF(PATRONI));
    struct Side *other =
        side_new(*state, "production", &patroni_system, PATRONI, COUNT_OF(PATRONI));
    size_t found = 0;
    one->found[0].answered = other->found[0].answered = false;
    one->seen[0].prospect_known = other->seen[0].prospect_known = false;

    const struct Difference *rows = compared(*state, one, other, &found);

    assert_int_equal(found, 2);
    assert_string_equal(rows[0].what, "Restart=");
    assert_string_equal(rows[0].values[0], "unknown");
    assert_string_equal(rows[1].what, "settings");
    assert_string_equal(rows[1].values[1], "unknown");
}

static void test_a_role_or_system_of_one_side_is_named(void **state)
{
    struct Side *one = side_new(*state, "staging", &patroni_system, PATRONI, COUNT_OF(PATRONI));
    struct Side *other =
        side_new(*state, "production", &patroni_system, PATRONI, COUNT_OF(PATRONI));
    size_t found = 0;
    other->environment.roles.count = 1;
    const struct Difference *rows = compared(*state, one, other, &found);
    assert_int_equal(found, 1);
    assert_string_equal(rows[0].what, "role");
    assert_string_equal(rows[0].values[1], "missing");

    other->environment.roles.count = 2;
    other->roles[0].system = NULL;
    rows = compared(*state, one, other, &found);
    assert_int_equal(found, 1);
    assert_string_equal(rows[0].what, "system");
    assert_string_equal(rows[0].values[1], "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_setting_is_named),
        cmocka_unit_test(test_an_equal_pair_is_silent),
        cmocka_unit_test(test_what_a_pass_does_not_prove_depends_on_the_setting),
        cmocka_unit_test(test_names_of_hosts_are_none),
        cmocka_unit_test(test_which_host_answers_first_is_no_difference),
        cmocka_unit_test(test_hosts_restarts_and_company_are_named),
        cmocka_unit_test(test_who_does_not_answer_is_no_equal),
        cmocka_unit_test(test_a_role_or_system_of_one_side_is_named),
    };
    struct Arena *arena = arena_new("parity", 64U << 20);
    for (size_t n = 0; n < COUNT_OF(tests); n++)
        ((struct CMUnitTest *)(uintptr_t)&tests[n])->initial_state = arena;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return failed;
}
