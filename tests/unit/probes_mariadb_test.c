/* probes_mariadb_test.c - sql probes beside a real MariaDB. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../fakes/mariadb_process.h"
#include "../fakes/probing.h"
#include "../fakes/redis_process.h"

static struct MariadbProcess mariadb;

static const char environment[] =
    "environment: test\n"
    "roles:\n"
    "  db:\n"
    "    hosts: {one: {address: 127.0.0.1}, two: {address: 127.0.0.2}}\n"
    "    process: /usr/sbin/mariadbd\n"
    "    mariadb: {dsn: \"mariadb://reader@/shop\", port: PORT, ledger_table: l, admin: a}\n";

static int begin(void **state)
{
    struct Probing *probing = calloc(1, sizeof(*probing));
    probing_open(probing);
    probing->port = mariadb.port;
    probing_environment(probing, environment);
    *state = probing;
    return 0;
}

static int end(void **state)
{
    probing_close(*state);
    free(*state);
    return 0;
}

/* Far apart: each attempt has a connection of its own. */
static uint32_t add(struct Probing *probing, const char *text)
{
    return probing_add(probing, text, 500 * NS_PER_MS, 20 * NS_PER_S);
}

static void start(struct Probing *probing)
{
    struct Err err;
    if (!probing_start(probing, &err))
        fail_msg("%s", err.message);
}

/* The first attempt that was made: a busy machine skips some. */
static const struct Sample *first_of(const struct Probing *probing, uint32_t probe)
{
    for (size_t n = 0; n < probing->count; n++)
        if (probing->samples[n].probe == probe && probing->samples[n].outcome != OUTCOME_SKIPPED)
            return &probing->samples[n];
    return NULL;
}

static bool was_made(struct Probing *probing, void *probe)
{
    return first_of(probing, *(const uint32_t *)probe) != NULL;
}

static void is(struct Probing *probing, uint32_t probe, enum Outcome outcome, enum Failure failure)
{
    probing_run(probing, was_made, &probe);
    const struct Sample *sample = first_of(probing, probe);
    assert_int_equal(sample->outcome, outcome);
    assert_int_equal(sample->failure, failure);
}

#define DSN "mariadb://reader@127.0.0.1:PORT/shop"

static void test_rows_and_value_are_what_is_wanted(void **state)
{
    struct Probing *probing = *state;
    uint32_t good = add(probing, "{sql: \"" DSN "\", query: \"select 't' from seq_1_to_3\", "
                                 "ok: {rows: 3, value: t}}");
    uint32_t rows = add(probing, "{sql: \"" DSN "\", query: \"select 1\", ok: {rows: 2}}");
    uint32_t value = add(probing, "{sql: \"" DSN "\", query: \"select null\", ok: {value: x}}");
    uint32_t wrong = add(probing, "{sql: \"" DSN "\", query: \"select * from nothing\"}");
    uint32_t locked = add(probing, "{sql: \"mysql://reader@127.0.0.1:PORT/shop\", query: \"set "
                                   "statement tx_read_only=1 for insert into t values (1)\"}");
    start(probing);

    is(probing, good, OUTCOME_OK, FAILURE_NONE);
    is(probing, rows, OUTCOME_FAILED, FAILURE_CONTENT);
    assert_string_equal(probing->detail[rows], "1 rows");
    is(probing, value, OUTCOME_FAILED, FAILURE_CONTENT);
    assert_string_equal(probing->detail[value], "the value is NULL");
    is(probing, wrong, OUTCOME_FAILED, FAILURE_OTHER);
    is(probing, locked, OUTCOME_FAILED, FAILURE_READ_ONLY);
}

static void test_a_role_is_asked_where_its_clients_go(void **state)
{
    struct Probing *probing = *state;
    uint32_t asks = add(probing, "{sql: db}"), writes = add(probing, "{ledger: db}");
    start(probing);

    is(probing, asks, OUTCOME_OK, FAILURE_NONE);
    is(probing, writes, OUTCOME_OK, FAILURE_NONE);
    assert_int_equal(first_of(probing, writes)->by, 1);
}

static void test_a_server_that_is_gone_refuses(void **state)
{
    struct Probing *probing = *state;
    probing->port = 1;
    uint32_t asks = add(probing, "{sql: \"" DSN "\"}");
    start(probing);

    is(probing, asks, OUTCOME_FAILED, FAILURE_REFUSED);
}

static int group_begin(void **state)
{
    (void)state;
    mariadb_process_start(&mariadb, 1, free_port_of_all(1), NULL);
    return 0;
}

static int group_end(void **state)
{
    (void)state;
    mariadb_process_end(&mariadb);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rows_and_value_are_what_is_wanted, begin, end),
        cmocka_unit_test_setup_teardown(test_a_role_is_asked_where_its_clients_go, begin, end),
        cmocka_unit_test_setup_teardown(test_a_server_that_is_gone_refuses, begin, end),
    };
    if (mariadb_process_missing()) {
        print_message("skip probes_mariadb: there is no MariaDB server here\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, group_begin, group_end);
}
