/* model_knobs_test.c - what settings promise, and which other value would grant a wish. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../runner/base/arena.h"
#include "../../runner/model/system.h"
#include "../../runner/systems/kinds.h"

#define S NS_PER_S
#define NONE KNOB_UNKNOWN

/* Settings as runs keep them, a limit, and what is to be set. */
struct Wished {
    const struct SystemKind *kind;
    const char *knobs;
    int64_t failover_ns, acked_ns;
    const char *set; /* "" = nothing grants it, or all is well */
};
#define SENTINEL &redis_sentinel_system
#define PATRONI &patroni_system
static const struct Wished table[] = {
    {SENTINEL, "down-after-milliseconds 30000, quorum 2 of 3 Sentinels", 13 * S, NONE,
     "down-after-milliseconds 7000"},
    {SENTINEL, "down-after-milliseconds 30000", 34 * S, NONE, "down-after-milliseconds 20000"},
    {SENTINEL, "down-after-milliseconds 5000", 10 * S, NONE, ""},
    {SENTINEL, "down-after-milliseconds 5000", 5 * S, NONE, ""},
    {SENTINEL, "quorum 2 of 3 Sentinels", 13 * S, NONE, ""},
    {SENTINEL, "down-after-milliseconds 5000, min-replicas-to-write 0, min-replicas-max-lag 10 s",
     NONE, 13 * S, "min-replicas-to-write 1"},
    {SENTINEL, "down-after-milliseconds 5000, min-replicas-to-write 1, min-replicas-max-lag 60 s",
     NONE, 13 * S, "min-replicas-max-lag 10"},
    {SENTINEL, "down-after-milliseconds 5000, min-replicas-to-write 0, min-replicas-max-lag 60 s",
     NONE, 13 * S, "min-replicas-to-write 1, min-replicas-max-lag 10"},
    {SENTINEL, "down-after-milliseconds 5000, min-replicas-to-write 1, min-replicas-max-lag 10 s",
     NONE, 0, ""},
    {SENTINEL, "down-after-milliseconds 30000, min-replicas-to-write 0, min-replicas-max-lag 10 s",
     13 * S, 13 * S, "down-after-milliseconds 7000, min-replicas-to-write 1"},
    {&redis_cluster_system, "cluster-node-timeout 15000, replicas 1", 9 * S, NONE,
     "cluster-node-timeout 3000"},
    {&redis_cluster_system, "cluster-node-timeout 15000, replicas 3", 26 * S, NONE,
     "cluster-node-timeout 10000"},
    {&redis_cluster_system, "cluster-node-timeout 15000, replicas 1", NONE, 10 * S,
     "cluster-node-timeout 5000"},
    {PATRONI, "ttl 60 s, loop_wait 10 s, retry_timeout 10 s, synchronous_mode on", 54 * S, NONE,
     "ttl 30"},
    {PATRONI, "ttl 60 s, loop_wait 40 s, retry_timeout 10 s", 81 * S, NONE, "loop_wait 15"},
    {PATRONI, "ttl 30 s, loop_wait 10 s, retry_timeout 10 s", 31 * S, NONE,
     "ttl 20, loop_wait 5, retry_timeout 7"},
    {PATRONI, "ttl 30 s, loop_wait 10 s, retry_timeout 10 s", 20 * S, NONE, ""},
    {PATRONI, "ttl 30 s, loop_wait 10 s, retry_timeout 10 s, synchronous_mode off", NONE, 0,
     "synchronous_mode on"},
    {PATRONI, "ttl 30 s, loop_wait 10 s, retry_timeout 10 s, synchronous_mode on, strict", NONE, 0,
     ""},
    {&postgres_system,
     "promoted by nobody but us, synchronous_standby_names none, "
     "synchronous_commit on, pg_rewind possible",
     NONE, 0, "synchronous_standby_names ANY 1 (*)"},
    {&postgres_system, "synchronous_standby_names FIRST 1 (a, b), synchronous_commit local", NONE,
     0, "synchronous_commit on"},
    {&postgres_system, "synchronous_standby_names none, synchronous_commit off", NONE, 0,
     "synchronous_standby_names ANY 1 (*), synchronous_commit on"},
    {&postgres_system, "synchronous_standby_names node2, synchronous_commit remote_apply", NONE, 0,
     ""},
    {&redis_system, "min-replicas-to-write 0, min-replicas-max-lag 10 s", NONE, 13 * S,
     "min-replicas-to-write 1"},
    {&etcd_system, "election_timeout 10s, etcd 3.4.23", 13 * S, NONE, "election_timeout 3s"},
    {&etcd_system, "election_timeout 1s", 3 * S, NONE, ""},
    {&rabbitmq_system, "RabbitMQ 3.10.8, poll_interval 5000, net_ticktime 60", 8 * S, NONE,
     "poll_interval 3000"},
    {&rabbitmq_system, "poll_interval 5000", NONE, 0, ""},
    {&haproxy_system, "inter 10s, fastinter 1s, timeout check 1s, fall 2, rise 2", 7 * S, NONE,
     "inter 3s"},
    {&haproxy_system, "inter 2s, fastinter 2s, timeout check 2s, fall 10, rise 2", 9 * S, NONE,
     "fall 2"},
    {&haproxy_system, "inter 1s, fastinter 500ms, timeout check 10s, fall 2, rise 2", 10 * S, NONE,
     "timeout check 3s"},
    {&haproxy_system, "inter 1s, fastinter 20s, timeout check 1s, fall 3, rise 2", 15 * S, NONE,
     "fastinter 5s"},
    {&vrrp_system, "priority 150 on lb-1, advert_int 5 s, version 2, preempt", 9 * S, NONE,
     "advert_int 2"},
    {&vrrp_system, "priority 150 on lb-1, advert_int 1 s, version 2, preempt", 2 * S, NONE, ""},
};

static void test_the_setting_that_grants_a_wish_is_found(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT_OF(table); n++) {
        const struct Wished *one = &table[n];
        int64_t values[KNOB_ROWS_MAX];
        struct Forecast today, promised;
        struct KnobChange changes[3];
        char set[200] = "", value[40];
        knobs_read_text(one->kind->knobs, one->knobs, values);
        one->kind->knobs->foretell(values, &today);
        struct KnobWish wish = {today.failover, one->failover_ns, one->acked_ns};

        size_t count = knobs_grant(one->kind->knobs, values, &wish, changes, &promised);

        for (size_t at = 0; at < count; at++) {
            size_t used = strlen(set);
            knob_write(changes[at].row, changes[at].row->unit, changes[at].to, value);
            snprintf(set + used, sizeof(set) - used, "%s%s %s", at > 0 ? ", " : "",
                     changes[at].row->name, value);
        }
        assert_string_equal(set, one->set);
        assert_true(count == 0 || one->failover_ns == NONE ||
                    promised.failover.high_ns <= one->failover_ns);
        assert_true(count == 0 || one->acked_ns == NONE || promised.lossless ||
                    promised.acked.high_ns <= one->acked_ns);
    }
}

/* A plan reads the same settings as pairs. */
static void test_pairs_and_text_are_read_alike(void **state)
{
    (void)state;
    const struct KnobTable *of = haproxy_system.knobs;
    const struct Knob pairs[] = {
        {"inter", "2s"}, {"fastinter", "500ms"}, {"timeout check", "1s"}, {"fall", "3"}};
    int64_t values[KNOB_ROWS_MAX], same[KNOB_ROWS_MAX];

    knobs_read(of, pairs, COUNT_OF(pairs), values);
    knobs_read_text(of, "inter 2s, fastinter 500ms, timeout check 1s, fall 3", same);

    assert_memory_equal(values, same, sizeof(values));
    assert_int_equal(values[0], 2 * S);
    assert_int_equal(values[3], 3);
    assert_int_equal(values[4], KNOB_UNKNOWN);
}

static void test_what_is_not_known_promises_nothing(void **state)
{
    (void)state;
    static const struct SystemKind *const kinds[] = {
        SENTINEL,        &redis_cluster_system, PATRONI,          &etcd_system,
        &haproxy_system, &vrrp_system,          &postgres_system, &redis_system};
    for (size_t n = 0; n < COUNT_OF(kinds); n++) {
        int64_t values[KNOB_ROWS_MAX];
        struct Forecast forecast;

        knobs_read_text(kinds[n]->knobs, "", values);
        kinds[n]->knobs->foretell(values, &forecast);

        assert_true(forecast.failover.high_ns == NS_NEVER);
        assert_true(forecast.lossless || forecast.acked.high_ns == KNOB_UNKNOWN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_setting_that_grants_a_wish_is_found),
        cmocka_unit_test(test_pairs_and_text_are_read_alike),
        cmocka_unit_test(test_what_is_not_known_promises_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
