/* rabbitmq_ledger.c - numbered messages to a queue, and how they are read back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "../clients/rabbitmq.h"
#include "ledgers.h"
#include "rabbitmq.h"

enum { HEAD_MAX = 120, ALL_NUMBERS = 20 };

struct QueueLedger {
    struct Ledger ledger; /* first */
    bool tidies;
    uint64_t taken; /* in this reading of a tidying */
};

static void *ledger_open(const struct LedgerInput *input, struct Err *err);
static void ledger_write(void *ledger, const struct LedgerWrite *write);
static void ledger_read(void *ledger, const struct Endpoint *from, uint32_t writers,
                        struct Mono deadline, const struct LedgerRead *to);
static void ledger_tidy(void *ledger, const struct Endpoint *at, struct Mono deadline,
                        const struct LedgerRead *to);

const struct LedgerKind rabbitmq_ledger = {
    .relays = true,
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
    return ledger_new(sizeof(struct QueueLedger), &rabbitmq_client, input);
}

static const char *queue_of(const struct QueueLedger *mine)
{
    return ((const struct RabbitmqConfig *)mine->ledger.input.config)->queue;
}

/* ---- messages: "faildrill RUN PROBE WRITER NUMBER" ---- */

static void write_head(const struct QueueLedger *mine, char out[HEAD_MAX])
{
    snprintf(out, HEAD_MAX, "faildrill %.60s %" PRIu32 " ", mine->ledger.input.run,
             mine->ledger.input.probe);
}

/* False: it is another's. */
static bool is_ours(const struct QueueLedger *mine, const char *body, uint32_t *writer,
                    uint64_t *number)
{
    char head[HEAD_MAX];
    int end = 0;
    write_head(mine, head);
    return text_starts(body, head) &&
           sscanf(body + strlen(head), "%" SCNu32 " %" SCNu64 "%n", writer, number, &end) == 2 &&
           body[strlen(head) + (size_t)end] == '\0';
}

/* ---- writing ---- */

static enum Failure failure_of(int code)
{
    return code == RABBITMQ_REFUSED   ? FAILURE_REFUSED
           : code == RABBITMQ_NOWHERE ? FAILURE_CONTENT
                                      : FAILURE_UNAVAILABLE; /* it may be there all the same */
}

static void on_written(void *data, const struct Answer *answer)
{
    struct QueueLedger *mine = data;
    struct Reply reply = {
        .outcome = OUTCOME_OK, .connected = true, .by = answer->peer, .detail = ""};
    mine->ledger.call = NULL;
    if (answer->end != CALL_ANSWERED)
        reply = reply_of_end(answer);
    else if (answer->code != RABBITMQ_DONE)
        reply = reply_of_refusal(answer, failure_of(answer->code));
    ledger_end_write(&mine->ledger, &reply);
}

static void ledger_write(void *data, const struct LedgerWrite *write)
{
    struct QueueLedger *mine = data;
    char body[HEAD_MAX + 2 * ALL_NUMBERS + 4];
    if (!ledger_begin_write(&mine->ledger, write))
        return;
    write_head(mine, body);
    snprintf(body + strlen(body), sizeof(body) - strlen(body), "%" PRIu32 " %" PRIu64,
             write->writer, write->number);
    mine->ledger.call = rabbitmq_publish((struct RabbitmqClient *)mine->ledger.client,
                                         queue_of(mine), body, write->deadline, on_written, mine);
}

/* ---- reading, and tidying up ---- */

static bool take_message(void *data, const char *body)
{
    struct QueueLedger *mine = data;
    const struct LedgerRead *to = &mine->ledger.to;
    uint32_t writer = 0;
    uint64_t number = 0;
    bool ours = is_ours(mine, body, &writer, &number);
    if (ours && !mine->tidies && number > 0)
        to->found(to->data, writer, number);
    mine->taken += ours && number > 0 ? 1 : 0;
    return ours && mine->tidies;
}

static void read_queue(struct QueueLedger *mine);

/* Of many that are taken out in a row, a server holds some back and forgets them with the
 * connection: tidy is what has none of ours when it is looked at again. */
static void on_read(void *data, const struct Answer *answer)
{
    struct QueueLedger *mine = data;
    bool good = answer->end == CALL_ANSWERED && answer->code == RABBITMQ_DONE;
    mine->ledger.call = NULL;
    if (good && mine->tidies && mine->taken > 0)
        read_queue(mine);
    else
        ledger_end_read(&mine->ledger, good);
}

static void on_marked(void *data, const struct Answer *answer)
{
    struct QueueLedger *mine = data;
    mine->ledger.call = NULL;
    if (answer->end == CALL_ANSWERED && answer->code == RABBITMQ_DONE)
        mine->ledger.call =
            rabbitmq_read((struct RabbitmqClient *)mine->ledger.client, queue_of(mine),
                          take_message, mine->ledger.deadline, on_read, mine);
    else
        ledger_end_read(&mine->ledger, false);
}

/* A message numbered 0 goes before, so that a queue that is said to be empty is known not to be. */
static void read_queue(struct QueueLedger *mine)
{
    char body[HEAD_MAX + 4];
    mine->taken = 0;
    write_head(mine, body);
    snprintf(body + strlen(body), sizeof(body) - strlen(body), "0 0");
    mine->ledger.call =
        rabbitmq_publish((struct RabbitmqClient *)mine->ledger.client, queue_of(mine), body,
                         mine->ledger.deadline, on_marked, mine);
}

/* Whichever node is asked, it is the leader's log that is read: of one host alone nothing can be
 * said. */
static void ledger_read(void *data, const struct Endpoint *from, uint32_t writers,
                        struct Mono deadline, const struct LedgerRead *to)
{
    struct QueueLedger *mine = data;
    (void)writers;
    mine->tidies = false;
    if (!to->of_primary)
        ledger_fail_soon(&mine->ledger, to);
    else if (ledger_begin_read(&mine->ledger, from, deadline, to))
        read_queue(mine);
}

static void ledger_tidy(void *data, const struct Endpoint *at, struct Mono deadline,
                        const struct LedgerRead *to)
{
    struct QueueLedger *mine = data;
    mine->tidies = true;
    if (ledger_begin_read(&mine->ledger, at, deadline, to))
        read_queue(mine);
}
