/* postgres_ledger.c - numbered writes to a table of PostgreSQL, and how they are read back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "../base/arena.h"
#include "../base/duration.h"
#include "../base/text.h"
#include "postgres_access.h"

/* Rows a reply. */
enum { CHUNK = 20000 };
#define MISSING_TABLE "42P01"

struct Ledger {
    struct LedgerInput input;
    struct PostgresClient *client; /* NULL until its first use */
    struct Call *call;
    LedgerDone *done;
    void *data;
    struct LedgerWrite write;
    bool made;      /* the table was, for this write */
    uint64_t taken; /* rows of a read-back */
    struct Mono deadline;
    struct LedgerRead to;
    struct Timer *timer; /* for ends that need no answer */
};

static void *ledger_open(const struct LedgerInput *input, struct Err *err);
static bool ledger_connected(const void *ledger);
static void ledger_write(void *ledger, const struct LedgerWrite *write);
static void ledger_read(void *ledger, const struct Endpoint *from, uint32_t writers,
                        struct Mono deadline, const struct LedgerRead *to);
static void ledger_tidy(void *ledger, const struct Endpoint *at, struct Mono deadline,
                        const struct LedgerRead *to);
static void ledger_cancel(void *ledger);
static void ledger_close(void *ledger);

const struct LedgerKind postgres_ledger = {
    .open = ledger_open,
    .connected = ledger_connected,
    .write = ledger_write,
    .read = ledger_read,
    .tidy = ledger_tidy,
    .cancel = ledger_cancel,
    .close = ledger_close,
};

static void on_timer(void *data, int events);

static void *ledger_open(const struct LedgerInput *input, struct Err *err)
{
    (void)err;
    struct Ledger *ledger = mem_zero(1, sizeof(*ledger));
    ledger->input = *input;
    ledger->timer = loop_timer(input->loop, on_timer, ledger);
    return ledger;
}

static bool ledger_connected(const void *data)
{
    const struct Ledger *ledger = data;
    return ledger->client != NULL && postgres_connected(ledger->client);
}

static void ledger_cancel(void *data)
{
    struct Ledger *ledger = data;
    loop_timer_off(ledger->timer);
    if (ledger->call != NULL)
        call_cancel(ledger->call);
    ledger->call = NULL;
    if (ledger->client != NULL)
        postgres_disconnect(ledger->client);
}

static void ledger_close(void *data)
{
    struct Ledger *ledger = data;
    postgres_close(ledger->client);
    loop_timer_free(ledger->timer);
    mem_free(ledger);
}

/* False: our side has no way to try. */
static bool use_client(struct Ledger *ledger, const struct Endpoint *at)
{
    struct Err err = {.code = ERR_OWN};
    if (ledger->client != NULL)
        postgres_point(ledger->client, at);
    else
        ledger->client = postgres_open(ledger->input.loop, at, &err);
    return ledger->client != NULL;
}

static const char *table_of(const struct Ledger *ledger)
{
    const struct PostgresAccess *access = ledger->input.config;
    return access->ledger_table;
}

/* A statement about the table: `format` has its name's place; numbers of run and probe go first. */
static void ask(struct Ledger *ledger, const char *text, const char *const *more, size_t count,
                CallDone *done)
{
    char probe[16];
    const char *values[POSTGRES_VALUES_MAX] = {ledger->input.run, probe};
    snprintf(probe, sizeof(probe), "%" PRIu32, ledger->input.probe);
    for (size_t n = 0; n < count; n++)
        values[2 + n] = more[n];
    ledger->call = postgres_call(
        ledger->client, &(struct PostgresQuery){.text = text, .values = values, .count = 2 + count},
        ledger->deadline, done, ledger);
}

static bool says_missing(const struct Answer *answer)
{
    return answer->end == CALL_ANSWERED && answer->code == POSTGRES_ERROR &&
           text_starts(answer->bytes, MISSING_TABLE);
}

/* ---- writing ---- */

static enum Failure failure_of_end(enum CallEnd end)
{
    switch (end) {
    case CALL_ANSWERED:
    case CALL_LOCAL:
        return FAILURE_NONE;
    case CALL_REFUSED:
        return FAILURE_REFUSED;
    case CALL_RESET:
        return FAILURE_RESET;
    case CALL_TIMEOUT:
        return FAILURE_TIMEOUT;
    case CALL_UNRESOLVED:
        return FAILURE_UNRESOLVED;
    case CALL_TLS:
        return FAILURE_TLS;
    case CALL_PROTOCOL:
        return FAILURE_OTHER;
    }
    bug("no failure for call end %d", (int)end);
}

static struct Reply failed(const struct Answer *answer)
{
    struct Reply reply = {.outcome = OUTCOME_FAILED,
                          .failure = failure_of_end(answer->end),
                          .code = answer->code,
                          .connected = answer->connected.ns != 0,
                          .by = answer->peer,
                          .detail = answer->bytes};
    if (answer->end == CALL_LOCAL)
        reply.outcome = OUTCOME_BROKEN;
    if (answer->end == CALL_ANSWERED)
        reply.failure = postgres_failure(answer);
    if (answer->bytes[0] == '\0')
        reply.detail = call_end_name(answer->end);
    return reply;
}

static void insert(struct Ledger *ledger);

static void on_made(void *data, const struct Answer *answer)
{
    struct Ledger *ledger = data;
    ledger->call = NULL;
    /* Another writer may have made it at the same moment: the write itself will tell. */
    if (answer->end == CALL_ANSWERED && !text_starts(answer->bytes, "42501")) {
        insert(ledger);
        return;
    }
    const struct Reply reply = failed(answer);
    ledger->done(ledger->data, &reply);
}

/* No unique key: what was written twice shall show. */
static void make_table(struct Ledger *ledger)
{
    char text[400];
    snprintf(text, sizeof(text),
             "create table if not exists %.100s (run text not null, probe int not null, writer int "
             "not null, number bigint not null, at timestamptz not null default now())",
             table_of(ledger));
    ledger->made = true;
    ledger->call = postgres_call(ledger->client, &(struct PostgresQuery){.text = text},
                                 ledger->deadline, on_made, ledger);
}

static void on_written(void *data, const struct Answer *answer)
{
    struct Ledger *ledger = data;
    ledger->call = NULL;
    if (says_missing(answer) && !ledger->made) {
        make_table(ledger); /* nothing was written by then: this is no second try */
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
    ledger->done(ledger->data, &reply);
}

/* Who acknowledges says so in the same statement: the peer may be a proxy. */
static void insert(struct Ledger *ledger)
{
    char text[300], writer[16], number[24];
    const char *const more[] = {writer, number};
    snprintf(text, sizeof(text),
             "insert into %.100s (run, probe, writer, number) values ($1, $2, $3, $4) returning "
             "host(inet_server_addr())",
             table_of(ledger));
    snprintf(writer, sizeof(writer), "%" PRIu32, ledger->write.writer);
    snprintf(number, sizeof(number), "%" PRIu64, ledger->write.number);
    ask(ledger, text, more, COUNT_OF(more), on_written);
}

static void on_timer(void *data, int events)
{
    (void)events;
    struct Ledger *ledger = data;
    const struct Reply broken = {
        .outcome = OUTCOME_BROKEN, .by = "", .detail = "a connection could not be made ready"};
    if (ledger->done != NULL)
        ledger->done(ledger->data, &broken);
    else
        ledger->to.done(ledger->to.data, KNOWN_NO);
}

static void ledger_write(void *data, const struct LedgerWrite *write)
{
    struct Ledger *ledger = data;
    ledger->write = *write;
    ledger->done = write->done;
    ledger->data = write->data;
    ledger->deadline = write->deadline;
    ledger->made = false;
    if (use_client(ledger, write->to))
        insert(ledger);
    else
        loop_timer_at(ledger->timer, mono_now());
}

/* ---- reading ---- */

static void read_chunk(struct Ledger *ledger);

static bool take_numbers(const struct Ledger *ledger, const struct PostgresRows *rows)
{
    for (size_t n = 0; n < postgres_row_count(rows); n++) {
        int64_t writer = 0, number = 0;
        if (!int_parse(postgres_value(rows, n, 0), &writer, NULL) ||
            !int_parse(postgres_value(rows, n, 1), &number, NULL) || writer < 1 || number < 1)
            return false;
        ledger->to.found(ledger->to.data, (uint32_t)writer, (uint64_t)number);
    }
    return true;
}

/* A host without the table has none of the numbers, and says so. */
static void on_numbers(void *data, const struct Answer *answer)
{
    struct Ledger *ledger = data;
    ledger->call = NULL;
    bool missing = says_missing(answer);
    bool rows = answer->end == CALL_ANSWERED && answer->code == POSTGRES_ROWS;
    bool good = missing || (rows && take_numbers(ledger, postgres_rows(answer)));
    size_t count = rows ? postgres_row_count(postgres_rows(answer)) : 0;
    ledger->taken += count;
    if (good && count == CHUNK)
        read_chunk(ledger);
    else
        ledger->to.done(ledger->to.data, good ? KNOWN_YES : KNOWN_NO);
}

static void read_chunk(struct Ledger *ledger)
{
    char text[300], taken[24];
    const char *const more[] = {taken};
    snprintf(text, sizeof(text),
             "select writer, number from %.100s where run = $1 and probe = $2 order by writer, "
             "number limit %d offset $3",
             table_of(ledger), CHUNK);
    snprintf(taken, sizeof(taken), "%" PRIu64, ledger->taken);
    ask(ledger, text, more, COUNT_OF(more), on_numbers);
}

static void ledger_read(void *data, const struct Endpoint *from, uint32_t writers,
                        struct Mono deadline, const struct LedgerRead *to)
{
    (void)writers;
    struct Ledger *ledger = data;
    ledger->done = NULL;
    ledger->to = *to;
    ledger->taken = 0;
    ledger->deadline = deadline;
    if (use_client(ledger, from))
        read_chunk(ledger);
    else
        loop_timer_at(ledger->timer, mono_now());
}

/* ---- tidying up ---- */

static void on_tidied(void *data, const struct Answer *answer)
{
    struct Ledger *ledger = data;
    ledger->call = NULL;
    bool good =
        says_missing(answer) || (answer->end == CALL_ANSWERED && answer->code == POSTGRES_ROWS);
    ledger->to.done(ledger->to.data, good ? KNOWN_YES : KNOWN_NO);
}

/* Those of this run; and those that a killed runner left a day ago. */
static void ledger_tidy(void *data, const struct Endpoint *at, struct Mono deadline,
                        const struct LedgerRead *to)
{
    struct Ledger *ledger = data;
    char text[300];
    ledger->done = NULL;
    ledger->to = *to;
    ledger->deadline = deadline;
    snprintf(text, sizeof(text),
             "delete from %.100s where (run = $1 and probe = $2) or at < now() - interval '1 day'",
             table_of(ledger));
    if (use_client(ledger, at))
        ask(ledger, text, NULL, 0, on_tidied);
    else
        loop_timer_at(ledger->timer, mono_now());
}
