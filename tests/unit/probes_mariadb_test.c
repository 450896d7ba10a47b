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

#include "../../runner/clients/mariadb.h"
#include "../../runner/systems/mariadb_access.h"
#include "../fakes/mariadb_process.h"
#include "../fakes/redis_process.h"
#include "../fakes/server.h"
#include "probes_sql.h"

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
    *state = probing_of(mariadb.port, environment);
    return 0;
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

/* ---- what is read back, and from whom ---- */

struct Reading {
    struct Loop *loop;
    struct MariadbAccess access;
    struct LedgerInput input;
    struct Endpoint at;
    void *ledger;
    bool came;
    enum Known complete;
    size_t found, twice;            /* twice: of `number` */
    uint64_t number;                /* that is asked about */
    void (*once)(struct Reading *); /* at the first number, if any */
};

static void reading_begin(struct Reading *s, const char *table)
{
    struct Err err;
    *s = (struct Reading){.loop = loop_new(), .access.ledger_table = table};
    s->input = (struct LedgerInput){.config = &s->access, .loop = s->loop, .run = "run"};
    s->at = (struct Endpoint){
        .host = mariadb.address, .port = mariadb.port, .dsn = "mariadb://reader@/shop"};
    s->ledger = mariadb_ledger.open(&s->input, &err);
}

static void reading_end(struct Reading *s)
{
    mariadb_ledger.close(s->ledger);
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
    mariadb_ledger.write(s->ledger,
                         &(struct LedgerWrite){.to = &s->at,
                                               .writer = 1,
                                               .number = number,
                                               .deadline = mono_add(mono_now(), 20 * NS_PER_S),
                                               .done = keep_reply,
                                               .data = s});
    run_until(s->loop, &s->came);
}

static void count_number(void *data, uint32_t writer, uint64_t number)
{
    struct Reading *s = data;
    assert_int_equal(writer, 1);
    s->found++;
    s->twice += number == s->number ? 1 : 0;
    if (s->found == 1 && s->once != NULL)
        s->once(s);
}

static void keep_complete(void *data, enum Known complete)
{
    struct Reading *s = data;
    s->came = true;
    s->complete = complete;
}

static enum Known read_back(struct Reading *s, bool of_primary)
{
    s->came = false;
    s->found = s->twice = 0;
    mariadb_ledger.read(
        s->ledger, &s->at, 1, mono_add(mono_now(), 20 * NS_PER_S),
        &(struct LedgerRead){
            .of_primary = of_primary, .found = count_number, .done = keep_complete, .data = s});
    run_until(s->loop, &s->came);
    return s->complete;
}

static void keep_answer(void *data, const struct Answer *answer)
{
    struct Reading *s = data;
    s->came = true;
    assert_int_equal(answer->end, CALL_ANSWERED);
    assert_int_equal(answer->code, MARIADB_ROWS);
}

static void tell(struct Reading *s, const char *text)
{
    struct Err err;
    const struct Endpoint at = {.host = mariadb.address,
                                .port = mariadb.port,
                                .user = "drill",
                                .secret = "sesame",
                                .dsn = "mariadb://drill@/shop"};
    struct MariadbClient *client = mariadb_open(s->loop, &at, &err);
    s->came = false;
    (void)mariadb_call(client, text, mono_add(mono_now(), 20 * NS_PER_S), keep_answer, s);
    run_until(s->loop, &s->came);
    mariadb_close(client);
}

/* A proxy may send a reading to a replica that lags. */
static void test_what_is_lost_is_read_from_who_takes_writes(void **state)
{
    struct Reading s;
    (void)state;
    reading_begin(&s, "l2");
    write_number(&s, 1);
    write_number(&s, 2);

    assert_int_equal(read_back(&s, true), KNOWN_YES);
    assert_int_equal(s.found, 2);
    tell(&s, "set global read_only = 1");
    assert_int_equal(read_back(&s, true), KNOWN_NO);
    assert_int_equal(s.found, 0);
    assert_int_equal(read_back(&s, false), KNOWN_YES);
    assert_int_equal(s.found, 2);
    tell(&s, "set global read_only = 0");
    reading_end(&s);
}

static void test_a_table_that_was_never_made_holds_nothing_where_writes_go(void **state)
{
    struct Reading s;
    (void)state;
    reading_begin(&s, "shop.never_made");

    assert_int_equal(read_back(&s, true), KNOWN_YES);
    tell(&s, "set global read_only = 1");
    assert_int_equal(read_back(&s, true), KNOWN_NO);
    assert_int_equal(read_back(&s, false), KNOWN_YES);
    tell(&s, "set global read_only = 0");
    assert_int_equal(s.found, 0);
    reading_end(&s);
}

/* With a loop of its own, while the other one waits for us. */
static void write_late(struct Reading *s)
{
    struct Reading late;
    (void)s;
    reading_begin(&late, "l4");
    write_number(&late, 1);
    reading_end(&late);
}

/* Two chunks, and a number that was written twice on either side of their border. */
static void test_what_comes_while_it_is_read_back_counts_nothing_twice(void **state)
{
    struct Reading s;
    (void)state;
    reading_begin(&s, "l4");
    write_number(&s, 2);
    tell(&s, "insert into shop.l4 (run, probe, writer, number) select 'run', 0, 1, seq from "
             "seq_3_to_40000");
    tell(&s, "insert into shop.l4 (run, probe, writer, number) values ('run', 0, 1, 20001)");
    s.number = 20001;
    s.once = write_late;

    assert_int_equal(read_back(&s, true), KNOWN_YES);
    assert_int_equal(s.twice, 2);
    assert_int_equal(s.found, 40000);
    s.once = NULL;
    assert_int_equal(read_back(&s, false), KNOWN_YES);
    assert_int_equal(s.twice, 2);
    assert_int_equal(s.found, 40001);
    reading_end(&s);
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
        cmocka_unit_test(test_what_is_lost_is_read_from_who_takes_writes),
        cmocka_unit_test(test_a_table_that_was_never_made_holds_nothing_where_writes_go),
        cmocka_unit_test(test_what_comes_while_it_is_read_back_counts_nothing_twice),
        cmocka_unit_test_setup_teardown(test_a_server_that_is_gone_refuses, begin, end),
    };
    if (mariadb_process_missing()) {
        print_message("skip probes_mariadb: there is no MariaDB server here\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, group_begin, group_end);
}
