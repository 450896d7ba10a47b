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

#include "../../runner/clients/postgres.h"
#include "../../runner/systems/postgres_access.h"
#include "../fakes/postgres_process.h"
#include "../fakes/server.h"
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

/* ---- what is read back ---- */

struct Reading {
    struct Loop *loop;
    struct PostgresAccess access;
    struct LedgerInput input;
    struct Endpoint at;
    void *ledger;
    bool came, late; /* late: a write comes between the chunks */
    enum Known complete;
    size_t found, twice; /* twice: of the number at the border */
};

static void reading_begin(struct Reading *s)
{
    struct Err err;
    *s = (struct Reading){.loop = loop_new(), .access.ledger_table = "l4"};
    s->input = (struct LedgerInput){.config = &s->access, .loop = s->loop, .run = "run"};
    s->at = (struct Endpoint){
        .host = postgres.address, .port = postgres.port, .dsn = "postgresql://drill@/postgres"};
    s->ledger = postgres_ledger.open(&s->input, &err);
}

static void reading_end(struct Reading *s)
{
    postgres_ledger.close(s->ledger);
    loop_free(s->loop);
}

static void keep_reply(void *data, const struct Reply *reply)
{
    struct Reading *s = data;
    s->came = true;
    assert_int_equal(reply->outcome, OUTCOME_OK);
}

static void write_number(struct Reading *s, uint64_t number)
{
    s->came = false;
    postgres_ledger.write(s->ledger,
                          &(struct LedgerWrite){.to = &s->at,
                                                .writer = 1,
                                                .number = number,
                                                .deadline = mono_add(mono_now(), 20 * NS_PER_S),
                                                .done = keep_reply,
                                                .data = s});
    run_until(s->loop, &s->came);
}

/* The late one by a loop of its own, while the other one waits for us. */
static void count_number(void *data, uint32_t writer, uint64_t number)
{
    struct Reading *s = data, other;
    assert_int_equal(writer, 1);
    s->found++;
    s->twice += number == 20001 ? 1 : 0;
    if (s->found > 1 || !s->late)
        return;
    reading_begin(&other);
    write_number(&other, 1);
    reading_end(&other);
}

static void keep_complete(void *data, enum Known complete)
{
    struct Reading *s = data;
    s->came = true;
    s->complete = complete;
}

static enum Known read_back(struct Reading *s, bool late)
{
    s->came = false;
    s->late = late;
    s->found = s->twice = 0;
    postgres_ledger.read(
        s->ledger, &s->at, 1, mono_add(mono_now(), 20 * NS_PER_S),
        &(struct LedgerRead){.found = count_number, .done = keep_complete, .data = s});
    run_until(s->loop, &s->came);
    return s->complete;
}

static void keep_answer(void *data, const struct Answer *answer)
{
    struct Reading *s = data;
    s->came = true;
    assert_int_equal(answer->end, CALL_ANSWERED);
    assert_int_equal(answer->code, POSTGRES_ROWS);
}

static void tell(struct Reading *s, const char *text)
{
    struct Err err;
    struct PostgresClient *client = postgres_open(s->loop, &s->at, &err);
    s->came = false;
    (void)postgres_call(client, &(struct PostgresQuery){.text = text},
                        mono_add(mono_now(), 20 * NS_PER_S), keep_answer, s);
    run_until(s->loop, &s->came);
    postgres_close(client);
}

/* Two chunks, and a number that was written twice on either side of their border. */
static void test_what_comes_while_it_is_read_back_counts_nothing_twice(void **state)
{
    struct Reading s;
    (void)state;
    reading_begin(&s);
    write_number(&s, 2);
    tell(&s, "insert into l4 (run, probe, writer, number) select 'run', 0, 1, n from "
             "generate_series(3, 40000) n");
    tell(&s, "insert into l4 (run, probe, writer, number) values ('run', 0, 1, 20001)");

    assert_int_equal(read_back(&s, true), KNOWN_YES);
    assert_int_equal(s.twice, 2);
    assert_int_equal(s.found, 40000);
    assert_int_equal(read_back(&s, false), KNOWN_YES);
    assert_int_equal(s.twice, 2);
    assert_int_equal(s.found, 40001);
    reading_end(&s);
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
        cmocka_unit_test(test_what_comes_while_it_is_read_back_counts_nothing_twice),
        cmocka_unit_test_setup_teardown(test_a_server_that_is_gone_refuses, begin, end),
    };
    if (postgres_process_missing()) {
        print_message("skip probes_sql: there is no PostgreSQL server here\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, group_begin, group_end);
}
