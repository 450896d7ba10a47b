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
