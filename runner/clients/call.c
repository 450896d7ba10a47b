/* call.c - what all clients share. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "call.h"

void call_cancel(struct Call *call)
{
    call->cancel(call);
}

const char *call_end_name(enum CallEnd end)
{
    switch (end) {
    case CALL_ANSWERED:
        return "answered";
    case CALL_REFUSED:
        return "refused";
    case CALL_RESET:
        return "connection closed before the answer";
    case CALL_TIMEOUT:
        return "no answer in time";
    case CALL_UNRESOLVED:
        return "the name does not resolve";
    case CALL_TLS:
        return "TLS was refused";
    case CALL_PROTOCOL:
        return "the answer is not understood";
    case CALL_LOCAL:
        return "this machine could not ask";
    }
    bug("no name for call end %d", (int)end);
}

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

struct Reply reply_of_end(const struct Answer *answer)
{
    return (struct Reply){
        .outcome = answer->end == CALL_LOCAL ? OUTCOME_BROKEN : OUTCOME_FAILED,
        .failure = failure_of_end(answer->end),
        .code = answer->code,
        .connected = answer->connected.ns != 0,
        .by = answer->peer,
        .detail = answer->bytes[0] != '\0' ? answer->bytes : call_end_name(answer->end),
    };
}

struct Reply reply_of_refusal(const struct Answer *answer, enum Failure failure)
{
    return (struct Reply){.outcome = OUTCOME_FAILED,
                          .failure = failure,
                          .connected = true,
                          .by = answer->peer,
                          .detail = answer->bytes};
}
