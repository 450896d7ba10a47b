/* mariadb_ledger.c - numbered writes to a table of MariaDB, and how they are read back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../base/duration.h"
#include "../base/text.h"
#include "ledgers.h"
#include "mariadb_access.h"

/* Rows a reply. */
enum { CHUNK = 20000, MISSING_TABLE = 1146 };

struct MariadbLedger {
    struct Ledger ledger; /* first */
    bool made;            /* the table was, for this write */
    const char *how;      /* before the question of a read-back */
    bool of_primary;      /* of that read-back: see LedgerRead */
    struct Row {
        int64_t writer, number, id;
    } last; /* of a read-back so far; 0, 0, 0 = none yet */
};

static void *ledger_open(const struct LedgerInput *input, struct Err *err);
static void *open_of_node(const struct LedgerInput *input, struct Err *err);
static void ledger_write(void *ledger, const struct LedgerWrite *write);
static void ledger_read(void *ledger, const struct Endpoint *from, uint32_t writers,
                        struct Mono deadline, const struct LedgerRead *to);
static void ledger_tidy(void *ledger, const struct Endpoint *at, struct Mono deadline,
                        const struct LedgerRead *to);

const struct LedgerKind mariadb_ledger = {
    .open = ledger_open,
    .connected = ledger_connected,
    .write = ledger_write,
    .read = ledger_read,
    .tidy = ledger_tidy,
    .cancel = ledger_cancel,
    .close = ledger_close,
};

const struct LedgerKind galera_ledger = {
    .relays = true,
    .open = open_of_node,
    .connected = ledger_connected,
    .write = ledger_write,
    .read = ledger_read,
    .tidy = ledger_tidy,
    .cancel = ledger_cancel,
    .close = ledger_close,
};

static void *ledger_open(const struct LedgerInput *input, struct Err *err)
{
    (void)err;
    struct MariadbLedger *mine = ledger_new(sizeof(*mine), &mariadb_client, input);
    mine->how = "";
    return mine;
}

/* A node acknowledges what the others have not applied yet: who is read from waits until it has, or
 * fails. */
static void *open_of_node(const struct LedgerInput *input, struct Err *err)
{
    struct MariadbLedger *mine = ledger_open(input, err);
    mine->how = "set statement wsrep_sync_wait = 1 for ";
    return mine;
}

static void ask(struct MariadbLedger *mine, const char *text, CallDone *done)
{
    mine->ledger.call = mariadb_call((struct MariadbClient *)mine->ledger.client, text,
                                     mine->ledger.deadline, done, mine);
}

static const char *table_of(const struct MariadbLedger *mine)
{
    const struct MariadbAccess *access = mine->ledger.input.config;
    return access->ledger_table;
}

static bool is_error(const struct Answer *answer, unsigned number)
{
    return answer->end == CALL_ANSWERED && answer->code == MARIADB_ERROR &&
           mariadb_number(answer) == number;
}

static bool has_rows(const struct Answer *answer)
{
    return answer->end == CALL_ANSWERED && answer->code == MARIADB_ROWS;
}

/* ---- writing ---- */

static struct Reply failed(const struct Answer *answer)
{
    return answer->end == CALL_ANSWERED ? reply_of_refusal(answer, mariadb_failure(answer))
                                        : reply_of_end(answer);
}

static void insert(struct MariadbLedger *mine);

static void on_made(void *data, const struct Answer *answer)
{
    struct MariadbLedger *mine = data;
    mine->ledger.call = NULL;
    if (has_rows(answer)) {
        insert(mine);
        return;
    }
    const struct Reply reply = failed(answer);
    ledger_end_write(&mine->ledger, &reply);
}

/* The key is none that a write could hit twice: what was written twice shall show. Galera wants
 * one. */
static void make_table(struct MariadbLedger *mine)
{
    char text[500];
    snprintf(
        text, sizeof(text),
        "create table if not exists %.100s (id bigint unsigned not null auto_increment primary "
        "key, run varchar(40) not null, probe int unsigned not null, writer int unsigned not "
        "null, number bigint unsigned not null, at timestamp not null default "
        "current_timestamp, key of_run (run, probe, writer, number)) engine=InnoDB",
        table_of(mine));
    mine->made = true;
    ask(mine, text, on_made);
}

static void on_written(void *data, const struct Answer *answer)
{
    struct MariadbLedger *mine = data;
    mine->ledger.call = NULL;
    if (is_error(answer, MISSING_TABLE) && !mine->made) {
        make_table(mine); /* nothing was written by then: this is no second try */
        return;
    }
    struct Reply reply = {.outcome = OUTCOME_OK, .connected = true, .by = "", .detail = ""};
    if (has_rows(answer)) {
        const char *by = mariadb_value(mariadb_rows(answer), 0, 0);
        reply.by = by != NULL ? by : answer->peer;
    } else {
        reply = failed(answer);
    }
    ledger_end_write(&mine->ledger, &reply);
}

/* Who acknowledges says so in the same statement: the peer may be a proxy. The run's token is
 * letters and digits. */
static void insert(struct MariadbLedger *mine)
{
    const struct Ledger *ledger = &mine->ledger;
    char text[400];
    snprintf(text, sizeof(text),
             "insert into %.100s (run, probe, writer, number) values ('%.40s', %" PRIu32
             ", %" PRIu32 ", %" PRIu64 ") returning @@hostname",
             table_of(mine), ledger->input.run, ledger->input.probe, ledger->write.writer,
             ledger->write.number);
    ask(mine, text, on_written);
}

static void ledger_write(void *data, const struct LedgerWrite *write)
{
    struct MariadbLedger *mine = data;
    mine->made = false;
    if (ledger_begin_write(&mine->ledger, write))
        insert(mine);
}

/* ---- reading ---- */

static void read_chunk(struct MariadbLedger *mine);

/* The row that says whether who answers takes writes has no writer. */
static bool is_open(const struct MariadbRows *rows)
{
    for (size_t n = 0; n < mariadb_row_count(rows); n++)
        if (text_equal(mariadb_value(rows, n, 0), "0"))
            return text_equal(mariadb_value(rows, n, 2), "0") ||
                   text_equal(mariadb_value(rows, n, 2), "OFF");
    return false;
}

static bool is_behind(const struct Row *row, const struct Row *other)
{
    if (row->writer != other->writer)
        return row->writer > other->writer;
    return row->number != other->number ? row->number > other->number : row->id > other->id;
}

/* A union promises no order. */
static bool take_numbers(struct MariadbLedger *mine, const struct MariadbRows *rows)
{
    const struct LedgerRead *to = &mine->ledger.to;
    for (size_t n = 0; n < mariadb_row_count(rows); n++) {
        struct Row row = {0};
        if (mine->of_primary && text_equal(mariadb_value(rows, n, 0), "0"))
            continue;
        if (!int_parse(mariadb_value(rows, n, 0), &row.writer, NULL) ||
            !int_parse(mariadb_value(rows, n, 1), &row.number, NULL) ||
            !int_parse(mariadb_value(rows, n, 3), &row.id, NULL) || row.writer < 1 ||
            row.number < 1)
            return false;
        if (is_behind(&row, &mine->last))
            mine->last = row;
        to->found(to->data, (uint32_t)row.writer, (uint64_t)row.number);
    }
    return true;
}

static void on_absence(void *data, const struct Answer *answer)
{
    struct MariadbLedger *mine = data;
    mine->ledger.call = NULL;
    ledger_end_read(&mine->ledger, has_rows(answer) && is_open(mariadb_rows(answer)));
}

/* In one statement: the next one may come to another host. */
static void ask_absence(struct MariadbLedger *mine)
{
    const char *table = table_of(mine), *dot = strchr(table, '.');
    char schema[120] = "database()", text[500];
    if (dot != NULL)
        snprintf(schema, sizeof(schema), "'%.*s'", (int)(dot - table), table);
    snprintf(text, sizeof(text),
             "%sselect 0, 0, @@global.read_only from dual where not exists (select 1 from "
             "information_schema.tables where table_schema = %s and table_name = '%.100s')",
             mine->how, schema, dot != NULL ? dot + 1 : table);
    ask(mine, text, on_absence);
}

/* A host without the table has none of the numbers, and says so. */
static void on_numbers(void *data, const struct Answer *answer)
{
    struct MariadbLedger *mine = data;
    const struct MariadbRows *rows = has_rows(answer) ? mariadb_rows(answer) : NULL;
    mine->ledger.call = NULL;
    if (is_error(answer, MISSING_TABLE)) {
        if (mine->of_primary && mine->last.writer == 0)
            ask_absence(mine);
        else
            ledger_end_read(&mine->ledger, !mine->of_primary);
        return;
    }
    bool good = rows != NULL && (!mine->of_primary || is_open(rows)) && take_numbers(mine, rows);
    size_t count = rows != NULL ? mariadb_row_count(rows) - (good && mine->of_primary ? 1 : 0) : 0;
    if (good && count == CHUNK)
        read_chunk(mine);
    else
        ledger_end_read(&mine->ledger, good);
}

/* The address may be one of a proxy, which may ask a replica that lags: what that has not got yet
 * is not lost. So who answers says in the same answer whether it takes writes. By key, not by
 * count: a write that was in doubt may come between two chunks, before those that were read. */
static void read_chunk(struct MariadbLedger *mine)
{
    const struct LedgerInput *input = &mine->ledger.input;
    const struct Row *last = &mine->last;
    char text[700];
    snprintf(text, sizeof(text),
             "%s%s(select writer, number, null, id from %.100s where run = '%.40s' and probe = "
             "%" PRIu32 " and (writer > %" PRId64 " or (writer = %" PRId64 " and (number > %" PRId64
             " or (number = %" PRId64 " and id > %" PRId64
             ")))) order by writer, number, id limit %d)",
             mine->how, mine->of_primary ? "select 0, 0, @@global.read_only, 0 union all " : "",
             table_of(mine), input->run, input->probe, last->writer, last->writer, last->number,
             last->number, last->id, CHUNK);
    ask(mine, text, on_numbers);
}

static void ledger_read(void *data, const struct Endpoint *from, uint32_t writers,
                        struct Mono deadline, const struct LedgerRead *to)
{
    (void)writers;
    struct MariadbLedger *mine = data;
    mine->last = (struct Row){0};
    mine->of_primary = to->of_primary;
    if (ledger_begin_read(&mine->ledger, from, deadline, to))
        read_chunk(mine);
}

/* ---- tidying up ---- */

static void on_tidied(void *data, const struct Answer *answer)
{
    struct MariadbLedger *mine = data;
    mine->ledger.call = NULL;
    ledger_end_read(&mine->ledger, has_rows(answer) || is_error(answer, MISSING_TABLE));
}

/* Those of this run; and those that a killed runner left a day ago. */
static void ledger_tidy(void *data, const struct Endpoint *at, struct Mono deadline,
                        const struct LedgerRead *to)
{
    struct MariadbLedger *mine = data;
    const struct LedgerInput *input = &mine->ledger.input;
    char text[300];
    snprintf(text, sizeof(text),
             "delete from %.100s where (run = '%.40s' and probe = %" PRIu32
             ") or at < now() - interval 1 day",
             table_of(mine), input->run, input->probe);
    if (ledger_begin_read(&mine->ledger, at, deadline, to))
        ask(mine, text, on_tidied);
}
