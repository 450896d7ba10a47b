/* redis_ledger.c - numbered writes to a Redis list a writer, and how they are read back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "../base/arena.h"
#include "../base/text.h"
#include "sentinel.h"

/* Keys go by themselves in a day; they are read within the drill. */
#define KEEP_S "86400"
/* Numbers a reply; the client takes 1 MiB of them at most. */
enum { CHUNK = 10000 };

struct Ledger {
    struct LedgerInput input;
    struct RedisClient *client; /* NULL until its first use */
    struct Call *call;
    LedgerDone *done;
    void *data;
    char by[48];     /* who acknowledged */
    char key[200];   /* of the question under way */
    uint32_t writer; /* being read */
    uint32_t writers;
    uint64_t from; /* how many of its numbers were read */
    struct Mono deadline;
    struct LedgerRead to;
    struct Timer *timer; /* for ends that need no answer */
};

static void *ledger_open(const struct LedgerInput *input, struct Err *err);
static bool ledger_connected(const void *ledger);
static void ledger_write(void *ledger, const struct LedgerWrite *write);
static void ledger_read(void *ledger, const struct Endpoint *from, uint32_t writers,
                        struct Mono deadline, const struct LedgerRead *to);
static void ledger_cancel(void *ledger);
static void ledger_close(void *ledger);

const struct LedgerKind redis_ledger = {
    .open = ledger_open,
    .connected = ledger_connected,
    .write = ledger_write,
    .read = ledger_read,
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
    return ledger->client != NULL && redis_connected(ledger->client);
}

static void ledger_cancel(void *data)
{
    struct Ledger *ledger = data;
    loop_timer_off(ledger->timer);
    if (ledger->call != NULL)
        call_cancel(ledger->call);
    ledger->call = NULL;
    if (ledger->client != NULL)
        redis_disconnect(ledger->client);
}

static void ledger_close(void *data)
{
    struct Ledger *ledger = data;
    redis_close(ledger->client);
    loop_timer_free(ledger->timer);
    mem_free(ledger);
}

/* False: our side has no way to try. */
static bool use_client(struct Ledger *ledger, const struct Endpoint *at)
{
    struct Err err = {.code = ERR_OWN};
    if (ledger->client != NULL)
        redis_point(ledger->client, at);
    else
        ledger->client = redis_open(ledger->input.loop, at, &err);
    return ledger->client != NULL;
}

static void name_key(struct Ledger *ledger, uint32_t writer)
{
    const struct SentinelConfig *config = ledger->input.config;
    snprintf(ledger->key, sizeof(ledger->key), "%.100s%.40s:%" PRIu32 ":%" PRIu32,
             config->key_prefix, ledger->input.run, ledger->input.probe, writer);
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

static enum Failure failure_of_error(const char *text)
{
    static const char *const unavailable[] = {"LOADING", "MASTERDOWN", "NOREPLICAS",
                                              "BUSY",    "TRYAGAIN",   "CLUSTERDOWN",
                                              "MISCONF", "OOM",        "UNBLOCKED"};
    if (text_starts(text, "READONLY"))
        return FAILURE_READ_ONLY;
    for (size_t n = 0; n < COUNT_OF(unavailable); n++)
        if (text_starts(text, unavailable[n]))
            return FAILURE_UNAVAILABLE;
    return FAILURE_OTHER;
}

static void on_expiry_set(void *data, const struct Answer *answer)
{
    (void)answer;
    struct Ledger *ledger = data;
    ledger->call = NULL;
    const struct Reply reply = {
        .outcome = OUTCOME_OK, .connected = true, .by = ledger->by, .detail = ""};
    ledger->done(ledger->data, &reply);
}

/* The first number of a list, also of one that was lost on the way, gives it its end. */
static void on_written(void *data, const struct Answer *answer)
{
    struct Ledger *ledger = data;
    ledger->call = NULL;
    struct Reply reply = {
        .outcome = OUTCOME_OK, .connected = true, .by = answer->peer, .detail = ""};
    if (answer->end != CALL_ANSWERED) {
        reply.outcome = answer->end == CALL_LOCAL ? OUTCOME_BROKEN : OUTCOME_FAILED;
        reply.failure = failure_of_end(answer->end);
        reply.code = answer->code;
        reply.connected = answer->connected.ns != 0;
        reply.detail = answer->bytes[0] != '\0' ? answer->bytes : call_end_name(answer->end);
    } else if (answer->code != REDIS_VALUE) {
        reply.outcome = OUTCOME_FAILED;
        reply.failure = failure_of_error(answer->bytes);
        reply.detail = answer->bytes;
    } else if (text_equal(answer->bytes, "1")) {
        const char *const words[] = {"EXPIRE", ledger->key, KEEP_S, NULL};
        snprintf(ledger->by, sizeof(ledger->by), "%.47s", answer->peer);
        ledger->call = redis_call(ledger->client, words, ledger->deadline, on_expiry_set, ledger);
        return;
    }
    ledger->done(ledger->data, &reply);
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
        ledger->to.done(ledger->to.data, ledger->client != NULL ? KNOWN_YES : KNOWN_NO);
}

static void ledger_write(void *data, const struct LedgerWrite *write)
{
    struct Ledger *ledger = data;
    char text[24];
    ledger->done = write->done;
    ledger->data = write->data;
    ledger->deadline = write->deadline;
    name_key(ledger, write->writer);
    snprintf(text, sizeof(text), "%" PRIu64, write->number);
    const char *const words[] = {"RPUSH", ledger->key, text, NULL};
    if (use_client(ledger, write->to))
        ledger->call = redis_call(ledger->client, words, write->deadline, on_written, ledger);
    else
        loop_timer_at(ledger->timer, mono_now());
}

/* ---- reading ---- */

static void read_chunk(struct Ledger *ledger);

static bool take_numbers(const struct Ledger *ledger, const struct RedisArray *numbers)
{
    for (size_t n = 0; n < redis_count(numbers); n++) {
        int64_t number = number_of(redis_item(numbers, n), -1);
        if (number < 0)
            return false;
        ledger->to.found(ledger->to.data, ledger->writer, (uint64_t)number);
    }
    return true;
}

static void on_numbers(void *data, const struct Answer *answer)
{
    struct Ledger *ledger = data;
    ledger->call = NULL;
    bool good = answer->end == CALL_ANSWERED && answer->code == REDIS_ARRAY &&
                take_numbers(ledger, redis_array(answer));
    size_t count = good ? redis_count(redis_array(answer)) : 0;
    ledger->from += count;
    if (count < CHUNK) {
        ledger->writer++;
        ledger->from = 0;
    }
    if (good && ledger->writer <= ledger->writers)
        read_chunk(ledger);
    else
        ledger->to.done(ledger->to.data, good ? KNOWN_YES : KNOWN_NO);
}

static void read_chunk(struct Ledger *ledger)
{
    char first[24], last[24];
    name_key(ledger, ledger->writer);
    snprintf(first, sizeof(first), "%" PRIu64, ledger->from);
    snprintf(last, sizeof(last), "%" PRIu64, ledger->from + CHUNK - 1);
    const char *const words[] = {"LRANGE", ledger->key, first, last, NULL};
    ledger->call = redis_call(ledger->client, words, ledger->deadline, on_numbers, ledger);
}

static void ledger_read(void *data, const struct Endpoint *from, uint32_t writers,
                        struct Mono deadline, const struct LedgerRead *to)
{
    struct Ledger *ledger = data;
    ledger->done = NULL;
    ledger->to = *to;
    ledger->writer = 1;
    ledger->writers = writers;
    ledger->from = 0;
    ledger->deadline = deadline;
    if (use_client(ledger, from) && writers > 0)
        read_chunk(ledger);
    else
        loop_timer_at(ledger->timer, mono_now());
}
