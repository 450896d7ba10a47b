/* redis_ledger.c - numbered writes to a Redis list a writer, and how they are read back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "../clients/tcp.h"
#include "ledgers.h"
#include "redis_system.h"

/* Keys go by themselves in a day; they are read within the drill. */
#define KEEP_S "86400"
/* Numbers a reply; the client takes 1 MiB of them at most. */
enum { CHUNK = 10000, HOPS_MAX = 5 };

struct RedisLedger {
    struct Ledger ledger; /* first */
    char by[48];          /* who acknowledged */
    char key[200];        /* of the question under way */
    uint32_t writer;      /* being read */
    uint32_t writers;
    uint64_t from; /* how many of its numbers were read */
    /* Of a cluster: where the server that is written to sent us on, and how often for this write.
     */
    struct Endpoint moved; /* port 0: nowhere */
    char moved_host[256];
    int hops;
};

static void *ledger_open(const struct LedgerInput *input, struct Err *err);
static void ledger_write(void *ledger, const struct LedgerWrite *write);
static void ledger_read(void *ledger, const struct Endpoint *from, uint32_t writers,
                        struct Mono deadline, const struct LedgerRead *to);

const struct LedgerKind redis_ledger = {
    .open = ledger_open,
    .connected = ledger_connected,
    .write = ledger_write,
    .read = ledger_read,
    .cancel = ledger_cancel,
    .close = ledger_close,
};

static void *ledger_open(const struct LedgerInput *input, struct Err *err)
{
    (void)err;
    return ledger_new(sizeof(struct RedisLedger), &redis_client, input);
}

static void ask(struct RedisLedger *mine, const char *const *words, CallDone *done)
{
    mine->ledger.call = redis_call((struct RedisClient *)mine->ledger.client, words,
                                   mine->ledger.deadline, done, mine);
}

static void name_key(struct RedisLedger *mine, uint32_t writer)
{
    const struct LedgerInput *input = &mine->ledger.input;
    const struct RedisAccess *access = input->config;
    snprintf(mine->key, sizeof(mine->key), "%.100s%.15s%.40s:%" PRIu32 ":%" PRIu32,
             access->key_prefix, access->tag, input->run, input->probe, writer);
}

/* ---- writing ---- */

static void on_expiry_set(void *data, const struct Answer *answer)
{
    (void)answer;
    struct RedisLedger *mine = data;
    mine->ledger.call = NULL;
    const struct Reply reply = {
        .outcome = OUTCOME_OK, .connected = true, .by = mine->by, .detail = ""};
    ledger_end_write(&mine->ledger, &reply);
}

static bool is_sent_on(const struct RedisLedger *mine, const struct Answer *answer);
static bool follow(struct RedisLedger *mine, const struct Answer *answer);

/* The first number of a list, also of one that was lost on the way, gives it its end. */
static void on_written(void *data, const struct Answer *answer)
{
    struct RedisLedger *mine = data;
    mine->ledger.call = NULL;
    struct Reply reply = {
        .outcome = OUTCOME_OK, .connected = true, .by = answer->peer, .detail = ""};
    if (is_sent_on(mine, answer) && follow(mine, answer))
        return;
    if (answer->end != CALL_ANSWERED) {
        reply = reply_of_end(answer);
    } else if (answer->code != REDIS_VALUE) {
        reply = reply_of_refusal(answer, redis_failure(answer));
    } else if (text_equal(answer->bytes, "1")) {
        const char *const words[] = {"EXPIRE", mine->key, KEEP_S, NULL};
        snprintf(mine->by, sizeof(mine->by), "%.47s", answer->peer);
        ask(mine, words, on_expiry_set);
        return;
    }
    ledger_end_write(&mine->ledger, &reply);
}

static void send_number(struct RedisLedger *mine)
{
    const struct LedgerWrite *write = &mine->ledger.write;
    char text[24];
    name_key(mine, write->writer);
    snprintf(text, sizeof(text), "%" PRIu64, write->number);
    const char *const words[] = {"RPUSH", mine->key, text, NULL};
    ask(mine, words, on_written);
}

static void on_asking(void *data, const struct Answer *answer)
{
    struct RedisLedger *mine = data;
    if (answer->end == CALL_ANSWERED && answer->code == REDIS_VALUE)
        send_number(mine);
    else
        on_written(mine, answer);
}

/* "MOVED 866 10.0.0.2:6379": nothing was written there, so this is no second try. */
static bool is_sent_on(const struct RedisLedger *mine, const struct Answer *answer)
{
    return mine->ledger.write.may_follow && mine->hops < HOPS_MAX && answer->end == CALL_ANSWERED &&
           answer->code == REDIS_ERROR && redis_failure(answer) == FAILURE_WRONG_RANK;
}

static bool follow(struct RedisLedger *mine, const struct Answer *answer)
{
    static const char *const asking[] = {"ASKING", NULL};
    char host[256];
    uint16_t port = 0;
    const char *place = strrchr(answer->bytes, ' ');
    if (place == NULL || !tcp_address_split(place + 1, host, &port))
        return false;
    bool once = text_starts(answer->bytes, "ASK ");
    struct Endpoint to = *mine->ledger.write.to;
    to.host = host;
    to.port = port;
    mine->hops++;
    if (!ledger_point(&mine->ledger, &to))
        return true; /* it ends by itself */
    if (!once) {
        snprintf(mine->moved_host, sizeof(mine->moved_host), "%s", host);
        mine->moved = to;
        mine->moved.host = mine->moved_host;
    }
    if (once)
        ask(mine, asking, on_asking);
    else
        send_number(mine);
    return true;
}

/* As long as its connection is there, a client knows where it was sent. */
static void ledger_write(void *data, const struct LedgerWrite *write)
{
    struct RedisLedger *mine = data;
    struct LedgerWrite wanted = *write;
    if (!ledger_connected(mine) || !write->may_follow)
        mine->moved.port = 0;
    if (mine->moved.port != 0)
        wanted.to = &mine->moved;
    mine->hops = 0;
    if (ledger_begin_write(&mine->ledger, &wanted))
        send_number(mine);
}

/* ---- reading ---- */

static void read_chunk(struct RedisLedger *mine);

static bool take_numbers(const struct RedisLedger *mine, const struct RedisArray *numbers)
{
    const struct LedgerRead *to = &mine->ledger.to;
    for (size_t n = 0; n < redis_count(numbers); n++) {
        int64_t number = number_of(redis_item(numbers, n), -1);
        if (number < 0)
            return false;
        to->found(to->data, mine->writer, (uint64_t)number);
    }
    return true;
}

static void on_numbers(void *data, const struct Answer *answer)
{
    struct RedisLedger *mine = data;
    mine->ledger.call = NULL;
    bool good = answer->end == CALL_ANSWERED && answer->code == REDIS_ARRAY &&
                take_numbers(mine, redis_array(answer));
    size_t count = good ? redis_count(redis_array(answer)) : 0;
    mine->from += count;
    if (count < CHUNK) {
        mine->writer++;
        mine->from = 0;
    }
    if (good && mine->writer <= mine->writers)
        read_chunk(mine);
    else
        ledger_end_read(&mine->ledger, good);
}

static void read_chunk(struct RedisLedger *mine)
{
    char first[24], last[24];
    name_key(mine, mine->writer);
    snprintf(first, sizeof(first), "%" PRIu64, mine->from);
    snprintf(last, sizeof(last), "%" PRIu64, mine->from + CHUNK - 1);
    const char *const words[] = {"LRANGE", mine->key, first, last, NULL};
    ask(mine, words, on_numbers);
}

static void ledger_read(void *data, const struct Endpoint *from, uint32_t writers,
                        struct Mono deadline, const struct LedgerRead *to)
{
    struct RedisLedger *mine = data;
    mine->writer = 1;
    mine->writers = writers;
    mine->from = 0;
    if (!ledger_begin_read(&mine->ledger, from, deadline, to))
        return;
    if (writers > 0)
        read_chunk(mine);
    else
        ledger_end_soon(&mine->ledger);
}
