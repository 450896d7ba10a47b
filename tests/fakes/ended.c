/* ended.c - keeps what a call's done was given. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ended.h"

#include <stdio.h>

void keep_ended(void *data, const struct Answer *answer)
{
    struct Ended *ended = data;
    ended->came = true;
    ended->times++;
    ended->end = answer->end;
    ended->code = answer->code;
    ended->size = answer->size;
    ended->cut = answer->cut;
    snprintf(ended->text, sizeof(ended->text), "%.4095s", answer->bytes);
    snprintf(ended->peer, sizeof(ended->peer), "%.63s", answer->peer);
    ended->started = answer->started;
    ended->connected = answer->connected;
    ended->first_byte = answer->first_byte;
    ended->ended = answer->ended;
    if (ended->also_cancel != NULL)
        call_cancel(ended->also_cancel);
}
