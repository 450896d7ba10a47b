/* probes_sql_test.c - sql and ledger probes beside a real PostgreSQL. */
/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* setenv */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../fakes/postgres_process.h"
#include "probes_sql.h"

static struct PostgresProcess postgres;

static const char environment[] =
    "environment: test\n"
    "roles:\n"
    "  db:\n"
    "    hosts: {one: {address: 127.0.0.1}, two: {address: 127.0.0.2}}\n"
    "    process: /usr/bin/postgres\n"
    "    patroni: {dsn: \"postgresql://drill@127.0.0.1:PORT/postgres\", db_port: PORT}\n";

static int begin(void **state)
{
    *state = probing_of(postgres.port, environment);
    return 0;
}

#define DSN "postgresql://drill@127.0.0.1:PORT/postgres"

static void test_rows_and_value_are_what_is_wanted(void **state)
{
    struct Probing *probing = *state;
    uint32_t good = add(probing, "{sql: \"" DSN "\", query: \"select 't' from "
                                 "generate_series(1, 3)\", ok: {rows: 3, value: t}}");
    uint32_t rows = add(probing, "{sql: \"" DSN "\", query: \"select 1\", ok: {rows: 2}}");
    uint32_t value = add(probing, "{sql: \"" DSN "\", query: \"select null\", ok: {value: x}}");
    uint32_t wrong = add(probing, "{sql: \"" DSN "\", query: \"select 1 / 0\"}");
    uint32_t locked =
        add(probing, "{sql: \"" DSN "?options=-cdefault_transaction_read_only%3Don\", "
                     "query: \"create table t()\"}");
    start(probing);

    is(probing, good, OUTCOME_OK, FAILURE_NONE);
    is(probing, rows, OUTCOME_FAILED, FAILURE_CONTENT);
    assert_string_equal(probing->detail[rows], "1 rows");
    is(probing, value, OUTCOME_FAILED, FAILURE_CONTENT);
    assert_string_equal(probing->detail[value], "the value is NULL");
    is(probing, wrong, OUTCOME_FAILED, FAILURE_OTHER);
    assert_string_equal(probing->detail[wrong], "22012: division by zero");
    is(probing, locked, OUTCOME_FAILED, FAILURE_READ_ONLY);
}

static void test_a_role_is_asked_where_its_clients_go(void **state)
{
    struct Probing *probing = *state;
    uint32_t asks = add(probing, "{sql: db}"), writes = add(probing, "{ledger: db}");
    start(probing);

    is(probing, asks, OUTCOME_OK, FAILURE_NONE);
    is(probing, writes, OUTCOME_OK, FAILURE_NONE);
    assert_int_equal(first_of(probing, writes)->by, 1); /* as the server itself says */
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
    postgres_process_start(&postgres);
    setenv("PGPASSWORD", "sesame", 1); /* a password must not stand in a file */
    return 0;
}

static int group_end(void **state)
{
    (void)state;
    postgres_process_end(&postgres);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rows_and_value_are_what_is_wanted, begin, end),
        cmocka_unit_test_setup_teardown(test_a_role_is_asked_where_its_clients_go, begin, end),
        cmocka_unit_test_setup_teardown(test_a_server_that_is_gone_refuses, begin, end),
    };
    if (postgres_process_missing()) {
        print_message("skip probes_sql: there is no PostgreSQL server here\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, group_begin, group_end);
}
