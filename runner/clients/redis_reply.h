/* redis_reply.h - replies as hiredis' reader builds them with our functions. For redis.c alone. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLIENTS_REDIS_REPLY_H
#define FD_CLIENTS_REDIS_REPLY_H

#include <hiredis/read.h>

#include "redis.h"

/* A reply, or an element of one. hiredis' own have no limit on the size of an array. */
struct RedisArray {
    int type;   /* REDIS_REPLY_... */
    char *text; /* all but arrays and nil */
    size_t size;
    struct RedisArray **items; /* arrays */
    size_t count;
};
/* What done gets: redis_array() finds the array from the answer. */
struct RedisAnswer {
    struct Answer answer; /* first */
    const struct RedisArray *array;
};
/* Fills code, bytes, size and array; the reply must outlive it. */
void reply_answer(const struct RedisArray *reply, struct RedisAnswer *out);

redisReplyObjectFunctions reply_functions(void);
void reply_free(struct RedisArray *reply); /* accepts NULL */

#endif
