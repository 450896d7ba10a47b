/* ledgers.c - what ledgers share: one client, one question at a time, one end of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ledgers.h"

#include "../base/arena.h"

static void on_timer(void *data, int events)
{
    (void)events;
    struct Ledger *ledger = data;
    const struct Reply broken = {
        .outcome = OUTCOME_BROKEN, .by = "", .detail = "a connection could not be made ready"};
    if (ledger->writes)
        ledger_end_write(ledger, &broken);
    else
        ledger_end_read(ledger, ledger->client != NULL && !ledger->fails);
}

void *ledger_new(size_t size, const struct ClientKind *kind, const struct LedgerInput *input)
{
    struct Ledger *ledger = mem_zero(1, size);
    *ledger = (struct Ledger){.input = *input, .kind = kind};
    ledger->timer = loop_timer(input->loop, on_timer, ledger);
    return ledger;
}

bool ledger_connected(const void *data)
{
    const struct Ledger *ledger = data;
    return client_connected(ledger->client);
}

void ledger_cancel(void *data)
{
    struct Ledger *ledger = data;
    loop_timer_off(ledger->timer);
    if (ledger->call != NULL)
        call_cancel(ledger->call);
    ledger->call = NULL;
    client_disconnect(ledger->client);
}

void ledger_close(void *data)
{
    struct Ledger *ledger = data;
    client_close(ledger->client);
    loop_timer_free(ledger->timer);
    mem_free(ledger);
}

bool ledger_point(struct Ledger *ledger, const struct Endpoint *at)
{
    struct Err err = {.code = ERR_OWN};
    if (client_use(&ledger->client, ledger->kind, ledger->input.loop, at, &err))
        return true;
    ledger_end_soon(ledger);
    return false;
}

bool ledger_begin_write(struct Ledger *ledger, const struct LedgerWrite *write)
{
    ledger->writes = true;
    ledger->write = *write;
    ledger->deadline = write->deadline;
    return ledger_point(ledger, write->to);
}

bool ledger_begin_read(struct Ledger *ledger, const struct Endpoint *at, struct Mono deadline,
                       const struct LedgerRead *to)
{
    ledger->writes = ledger->fails = false;
    ledger->to = *to;
    ledger->deadline = deadline;
    return ledger_point(ledger, at);
}

void ledger_end_write(struct Ledger *ledger, const struct Reply *reply)
{
    ledger->write.done(ledger->write.data, reply);
}

void ledger_end_read(struct Ledger *ledger, bool complete)
{
    ledger->to.done(ledger->to.data, complete ? KNOWN_YES : KNOWN_NO);
}

void ledger_end_soon(struct Ledger *ledger)
{
    loop_timer_at(ledger->timer, mono_now());
}

void ledger_fail_soon(struct Ledger *ledger, const struct LedgerRead *to)
{
    ledger->writes = false;
    ledger->fails = true;
    ledger->to = *to;
    ledger_end_soon(ledger);
}
