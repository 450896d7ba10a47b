/* sample.c - the names of outcomes and failures. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include "../base/err.h"

const char *outcome_name(enum Outcome outcome)
{
    switch (outcome) {
    case OUTCOME_OK:
        return "ok";
    case OUTCOME_FAILED:
        return "failed";
    case OUTCOME_TIMEOUT:
        return "timeout";
    case OUTCOME_BROKEN:
        return "broken";
    case OUTCOME_SKIPPED:
        return "skipped";
    }
    bug("no name for outcome %d", (int)outcome);
}

const char *failure_name(enum Failure failure)
{
    switch (failure) {
    case FAILURE_NONE:
        return "none";
    case FAILURE_REFUSED:
        return "refused";
    case FAILURE_RESET:
        return "reset";
    case FAILURE_SLOW:
        return "slow";
    case FAILURE_READ_ONLY:
        return "read only";
    case FAILURE_WRONG_RANK:
        return "wrong rank";
    case FAILURE_STALE:
        return "stale";
    case FAILURE_CONTENT:
        return "wrong content";
    case FAILURE_UNAVAILABLE:
        return "unavailable";
    case FAILURE_UNRESOLVED:
        return "unresolved";
    case FAILURE_TLS:
        return "tls";
    case FAILURE_TIMEOUT:
        return "timeout";
    case FAILURE_OTHER:
        return "other";
    }
    bug("no name for failure %d", (int)failure);
}
