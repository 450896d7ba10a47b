/* asker.c - one question an attempt, to the primary of a role or to a named server. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "asker.h"

#include "reply.h"

bool asker_open(struct Asker *asker, const struct AskerKind *kind, const struct ProbeInput *input,
                struct Loop *loop, const struct Endpoint *server, struct Err *err)
{
    asker->kind = kind;
    asker->loop = loop;
    asker->keep = input->keep;
    if (input->role != NULL)
        return ways_open(&asker->ways, input, err);
    if (!place_find(input, server->host, server->host, server->port, &asker->place, err))
        return false;
    asker->endpoint = *server;
    asker->endpoint.host = asker->place.host;
    asker->endpoint.port = asker->place.port;
    return true;
}

void asker_close(struct Asker *asker)
{
    for (struct AskerSlot *slot = asker->used; slot != NULL; slot = slot->next) {
        client_close(slot->client);
        if (asker->ways.role != NULL)
            leader_close(&slot->leader);
    }
    ways_close(&asker->ways);
}

/* Who is read-only now, or is not who has it, answers so for ever. */
static void end_attempt(struct AskerSlot *slot, const struct Reply *reply)
{
    struct Attempt *attempt = slot->attempt;
    bool stays = slot->asker->keep && reply->failure != FAILURE_READ_ONLY &&
                 reply->failure != FAILURE_WRONG_RANK;
    slot->attempt = NULL;
    attempt_done(attempt, reply);
    if (!stays)
        client_disconnect(slot->client);
}

void asker_answered(void *data, const struct Answer *answer)
{
    struct AskerSlot *slot = data;
    struct Buf detail = BUF(DETAIL_MOST);
    slot->call = NULL;
    struct Reply reply = {
        .outcome = OUTCOME_OK, .connected = true, .by = answer->peer, .detail = ""};
    if (answer->end == CALL_ANSWERED)
        slot->asker->kind->judge(slot->asker, answer, &reply, &detail);
    else
        reply = reply_of_end(answer);
    if (slot->host != NULL && answer->end == CALL_ANSWERED)
        reply.by = target_address(slot->host); /* a forward's peer is this machine */
    end_attempt(slot, &reply);
    buf_free(&detail);
}

static void ask(struct AskerSlot *slot)
{
    slot->call =
        slot->asker->kind->ask(slot->asker, slot->client, attempt_deadline(slot->attempt), slot);
}

static void on_leader(void *data, const struct Endpoint *at, const struct Target *host)
{
    struct AskerSlot *slot = data;
    struct Asker *asker = slot->asker;
    struct Err err = {.code = ERR_OWN};
    slot->host = host;
    if (at == NULL) {
        end_attempt(slot, &nobody_leads);
    } else if (client_use(&slot->client, asker->kind->client, asker->loop, at, &err)) {
        ask(slot);
    } else {
        const struct Reply reply = {.outcome = OUTCOME_BROKEN, .by = "", .detail = err.message};
        end_attempt(slot, &reply);
    }
}

void asker_start(void *data, void *memory, struct Attempt *attempt)
{
    struct Asker *asker = data;
    struct AskerSlot *slot = memory;
    if (slot->asker == NULL) {
        *slot = (struct AskerSlot){.asker = asker, .next = asker->used};
        slot->leader = (struct Leader){.ways = &asker->ways, .loop = asker->loop};
        asker->used = slot;
    }
    slot->attempt = attempt;
    if (client_connected(slot->client))
        ask(slot); /* it is kept */
    else if (asker->ways.role != NULL)
        leader_find(&slot->leader, attempt_deadline(attempt), on_leader, slot);
    else
        on_leader(slot, &asker->endpoint, NULL);
}

void asker_cancel(void *data, void *memory)
{
    struct Asker *asker = data;
    struct AskerSlot *slot = memory;
    if (slot->call != NULL)
        call_cancel(slot->call);
    else if (asker->ways.role != NULL)
        leader_cancel(&slot->leader);
    slot->call = NULL;
    slot->attempt = NULL;
}
