/* postgres_ledger.c - numbered writes to a table of PostgreSQL, and how they are read back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "../base/duration.h"
#include "../base/text.h"
#include "ledgers.h"
#include "postgres_access.h"

/* Rows a reply. */
enum { CHUNK = 20000 };
#define MISSING_TABLE "42P01"

struct PostgresLedger {
    struct Ledger ledger;                   /* first */
    bool made;                              /* the table was, for this write */
    char writer[24], number[24], place[24]; /* the last row of a read-back */
};

static void *ledger_open(const struct LedgerInput *input, struct Err *err);
static void ledger_write(void *ledger, const struct LedgerWrite *write);
static void ledger_read(void *ledger, const struct Endpoint *from, uint32_t writers,
                        struct Mono deadline, const struct LedgerRead *to);
static void ledger_tidy(void *ledger, const struct Endpoint *at, struct Mono deadline,
                        const struct LedgerRead *to);

const struct LedgerKind postgres_ledger = {
    .open = ledger_open,
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
    return ledger_new(sizeof(struct PostgresLedger), &postgres_client, input);
}

static const char *table_of(const struct PostgresLedger *mine)
{
    const struct PostgresAccess *access = mine->ledger.input.config;
    return access->ledger_table;
}

static void say(struct PostgresLedger *mine, const struct PostgresQuery *query, CallDone *done)
{
    mine->ledger.call = postgres_call((struct PostgresClient *)mine->ledger.client, query,
                                      mine->ledger.deadline, done, mine);
}

/* A statement about the table: `format` has its name's place; numbers of run and probe go first. */
static void ask(struct PostgresLedger *mine, const char *text, const char *const *more,
                size_t count, CallDone *done)
{
    char probe[16];
    const char *values[POSTGRES_VALUES_MAX] = {mine->ledger.input.run, probe};
    snprintf(probe, sizeof(probe), "%" PRIu32, mine->ledger.input.probe);
    for (size_t n = 0; n < count; n++)
        values[2 + n] = more[n];
    say(mine, &(struct PostgresQuery){.text = text, .values = values, .count = 2 + count}, done);
}

static bool says_missing(const struct Answer *answer)
{
    return answer->end == CALL_ANSWERED && answer->code == POSTGRES_ERROR &&
           text_starts(answer->bytes, MISSING_TABLE);
}

/* ---- writing ---- */

static struct Reply failed(const struct Answer *answer)
{
    return answer->end == CALL_ANSWERED ? reply_of_refusal(answer, postgres_failure(answer))
                                        : reply_of_end(answer);
}

static void insert(struct PostgresLedger *mine);

static void on_made(void *data, const struct Answer *answer)
{
    struct PostgresLedger *mine = data;
    mine->ledger.call = NULL;
    /* Another writer may have made it at the same moment: the write itself will tell. */
    if (answer->end == CALL_ANSWERED && !text_starts(answer->bytes, "42501")) {
        insert(mine);
        return;
    }
    const struct Reply reply = failed(answer);
    ledger_end_write(&mine->ledger, &reply);
}

/* No unique key: what was written twice shall show. */
static void make_table(struct PostgresLedger *mine)
{
    char text[400];
    snprintf(text, sizeof(text),
             "create table if not exists %.100s (run text not null, probe int not null, writer int "
             "not null, number bigint not null, at timestamptz not null default now())",
             table_of(mine));
    mine->made = true;
    say(mine, &(struct PostgresQuery){.text = text}, on_made);
}

static void on_written(void *data, const struct Answer *answer)
{
    struct PostgresLedger *mine = data;
    mine->ledger.call = NULL;
    if (says_missing(answer) && !mine->made) {
        make_table(mine); /* nothing was written by then: this is no second try */
        return;
    }
    struct Reply reply = {.outcome = OUTCOME_OK, .connected = true, .by = "", .detail = ""};
    if (answer->end != CALL_ANSWERED || answer->code != POSTGRES_ROWS) {
        reply = failed(answer);
    } else if (postgres_warning(postgres_rows(answer))[0] != '\0') {
        reply.outcome = OUTCOME_FAILED; /* acknowledged, but perhaps nowhere else */
        reply.failure = FAILURE_OTHER;
        reply.detail = postgres_warning(postgres_rows(answer));
    } else {
        const char *by = postgres_value(postgres_rows(answer), 0, 0);
        reply.by = by != NULL ? by : answer->peer;
    }
    ledger_end_write(&mine->ledger, &reply);
}

/* Who acknowledges says so in the same statement: the peer may be a proxy. */
static void insert(struct PostgresLedger *mine)
{
    char text[300], writer[16], number[24];
    const char *const more[] = {writer, number};
    snprintf(text, sizeof(text),
             "insert into %.100s (run, probe, writer, number) values ($1, $2, $3, $4) returning "
             "host(inet_server_addr())",
             table_of(mine));
    snprintf(writer, sizeof(writer), "%" PRIu32, mine->ledger.write.writer);
    snprintf(number, sizeof(number), "%" PRIu64, mine->ledger.write.number);
    ask(mine, text, more, COUNT_OF(more), on_written);
}

static void ledger_write(void *data, const struct LedgerWrite *write)
{
    struct PostgresLedger *mine = data;
    mine->made = false;
    if (ledger_begin_write(&mine->ledger, write))
        insert(mine);
}

/* ---- reading ---- */

static void read_chunk(struct PostgresLedger *mine);

static void keep_last(struct PostgresLedger *mine, const char *writer, const char *number,
                      const char *place)
{
    snprintf(mine->writer, sizeof(mine->writer), "%s", writer);
    snprintf(mine->number, sizeof(mine->number), "%s", number);
    snprintf(mine->place, sizeof(mine->place), "%s", place);
}

static bool take_numbers(struct PostgresLedger *mine, const struct PostgresRows *rows)
{
    for (size_t n = 0; n < postgres_row_count(rows); n++) {
        int64_t writer = 0, number = 0;
        if (!int_parse(postgres_value(rows, n, 0), &writer, NULL) ||
            !int_parse(postgres_value(rows, n, 1), &number, NULL) || writer < 1 || number < 1)
            return false;
        mine->ledger.to.found(mine->ledger.to.data, (uint32_t)writer, (uint64_t)number);
    }
    size_t last = postgres_row_count(rows);
    if (last-- > 0)
        keep_last(mine, postgres_value(rows, last, 0), postgres_value(rows, last, 1),
                  postgres_value(rows, last, 2));
    return true;
}

/* A host without the table has none of the numbers, and says so. */
static void on_numbers(void *data, const struct Answer *answer)
{
    struct PostgresLedger *mine = data;
    mine->ledger.call = NULL;
    bool missing = says_missing(answer);
    bool rows = answer->end == CALL_ANSWERED && answer->code == POSTGRES_ROWS;
    bool good = missing || (rows && take_numbers(mine, postgres_rows(answer)));
    size_t count = rows ? postgres_row_count(postgres_rows(answer)) : 0;
    if (good && count == CHUNK)
        read_chunk(mine);
    else
        ledger_end_read(&mine->ledger, good);
}

/* By key, not by count: a write that was in doubt may come between two chunks, before those that
 * were read. What was written twice has two places, which nothing moves: rows are only added. */
static void read_chunk(struct PostgresLedger *mine)
{
    char text[400];
    const char *const more[] = {mine->writer, mine->number, mine->place};
    snprintf(text, sizeof(text),
             "select writer, number, ctid from %.100s where run = $1 and probe = $2 and (writer, "
             "number, ctid) > ($3::int, $4::bigint, $5::tid) order by writer, number, ctid "
             "limit %d",
             table_of(mine), CHUNK);
    ask(mine, text, more, COUNT_OF(more), on_numbers);
}

static void ledger_read(void *data, const struct Endpoint *from, uint32_t writers,
                        struct Mono deadline, const struct LedgerRead *to)
{
    (void)writers;
    struct PostgresLedger *mine = data;
    keep_last(mine, "0", "0", "(0,0)");
    if (ledger_begin_read(&mine->ledger, from, deadline, to))
        read_chunk(mine);
}

/* ---- tidying up ---- */

static void on_tidied(void *data, const struct Answer *answer)
{
    struct PostgresLedger *mine = data;
    mine->ledger.call = NULL;
    bool good =
        says_missing(answer) || (answer->end == CALL_ANSWERED && answer->code == POSTGRES_ROWS);
    ledger_end_read(&mine->ledger, good);
}

/* Those of this run; and those that a killed runner left a day ago. */
static void ledger_tidy(void *data, const struct Endpoint *at, struct Mono deadline,
                        const struct LedgerRead *to)
{
    struct PostgresLedger *mine = data;
    char text[300];
    snprintf(text, sizeof(text),
             "delete from %.100s where (run = $1 and probe = $2) or at < now() - interval '1 day'",
             table_of(mine));
    if (ledger_begin_read(&mine->ledger, at, deadline, to))
        ask(mine, text, NULL, 0, on_tidied);
}
