/* reply.c - what the kinds of probe share: calls that were not answered. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "reply.h"

#include "../runner/base/text.h"
#include "../runner/clients/postgres.h"

static enum Failure failure_of(enum CallEnd end)
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
        .failure = failure_of(answer->end),
        .code = answer->code,
        .connected = answer->connected.ns != 0,
        .by = answer->peer,
        .detail = answer->bytes[0] != '\0' ? answer->bytes : call_end_name(answer->end),
    };
}

struct Reply reply_of_redis_error(const struct Answer *answer)
{
    static const struct {
        const char *word;
        enum Failure failure;
    } words[] = {
        {"READONLY", FAILURE_READ_ONLY},      {"LOADING", FAILURE_UNAVAILABLE},
        {"MASTERDOWN", FAILURE_UNAVAILABLE},  {"NOREPLICAS", FAILURE_UNAVAILABLE},
        {"BUSY", FAILURE_UNAVAILABLE},        {"TRYAGAIN", FAILURE_UNAVAILABLE},
        {"CLUSTERDOWN", FAILURE_UNAVAILABLE}, {"MISCONF", FAILURE_UNAVAILABLE},
        {"OOM", FAILURE_UNAVAILABLE},         {"UNBLOCKED", FAILURE_UNAVAILABLE},
    };
    struct Reply reply = {.outcome = OUTCOME_FAILED,
                          .failure = FAILURE_OTHER,
                          .connected = true,
                          .by = answer->peer,
                          .detail = answer->bytes};
    for (size_t n = 0; n < COUNT_OF(words); n++)
        if (text_starts(answer->bytes, words[n].word))
            reply.failure = words[n].failure;
    return reply;
}

struct Reply reply_of_postgres_error(const struct Answer *answer)
{
    return (struct Reply){.outcome = OUTCOME_FAILED,
                          .failure = postgres_failure(answer),
                          .connected = true,
                          .by = answer->peer,
                          .detail = answer->bytes};
}

const char *target_address(const struct Target *target)
{
    return target->address != NULL ? target->address : target->name;
}

const struct Target *role_host_at(const struct Role *role, const char *address)
{
    for (size_t n = 0; n < role->host_count; n++)
        if (text_equal(target_address(role->hosts[n]), address))
            return role->hosts[n];
    return NULL;
}
