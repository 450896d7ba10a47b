/* ended.h - keeps what a call's done was given. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_FAKES_ENDED_H
#define FD_FAKES_ENDED_H

#include "../../runner/clients/call.h"

struct Ended {
    bool came, cut;
    int times;
    enum CallEnd end;
    int code;
    char text[4096], peer[64];
    size_t size;
    struct Mono started, connected, first_byte, ended;
    struct Call *also_cancel; /* within done */
};
void keep_ended(void *data, const struct Answer *answer); /* a CallDone; data: struct Ended */

#endif
