/* redis.h - commands to one Redis or Sentinel, over hiredis' reader and formatter. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLIENTS_REDIS_H
#define FD_CLIENTS_REDIS_H

#include "../model/sample.h"
#include "client.h"

/* One connection, made by the first call and again by the call after it broke. Calls on one client
 * are answered in order. AUTH is sent first where the endpoint has a secret (text or
 * ${secret.NAME}); where that is refused, the refusal is the answer to each call. Replies are given
 * as text: status, bulk and integer as they are; nil as "" with code 1; an error reply as its text
 * with code 2; arrays as redis_array. A reply over 1 MiB is CALL_PROTOCOL. A call that ends before
 * its reply takes the connection with it, unless others wait on it. */
struct RedisClient;
enum { REDIS_VALUE = 0, REDIS_NIL = 1, REDIS_ERROR = 2, REDIS_ARRAY = 3 };
/* The endpoint is copied. */
struct RedisClient *redis_open(struct Loop *loop, const struct Endpoint *endpoint, struct Err *err);
/* words: NULL-ended; copied. */
struct Call *redis_call(struct RedisClient *client, const char *const *words, struct Mono deadline,
                        CallDone *done, void *data);
void redis_close(struct RedisClient *client); /* cancels what is under way; accepts NULL */
/* As client.h has it: each of these is a struct RedisClient. */
extern const struct ClientKind redis_client;

/* Within done, where answer->code is REDIS_ARRAY: the elements, one level at a time. */
struct RedisArray;
const struct RedisArray *redis_array(const struct Answer *answer);
size_t redis_count(const struct RedisArray *array);
const char *redis_item(const struct RedisArray *array, size_t index); /* "" where it is no text */
/* NULL where it is none. */
const struct RedisArray *redis_nested(const struct RedisArray *array, size_t index);
/* A flat array of name, value, name, value (SENTINEL MASTER, CONFIG GET): the value, or NULL. */
const char *redis_pair(const struct RedisArray *array, const char *name);
/* The value of a line "name:value" of INFO's text, copied to out (cut at its size); false where
 * there is none. */
bool redis_info(const char *info, const char *name, char *out, size_t size);
/* Where answer->code is REDIS_ERROR: what the server's refusal comes to. */
enum Failure redis_failure(const struct Answer *answer);

#endif
