/* redis_reply.c - replies as hiredis' reader builds them with our functions. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "redis_reply.h"

#include <stdio.h>
#include <string.h>

#include "../base/arena.h"
#include "../base/text.h"

enum { ELEMENTS_MAX = 100000 };

void reply_free(struct RedisArray *reply)
{
    if (reply == NULL)
        return;
    for (size_t n = 0; n < reply->count; n++)
        reply_free(reply->items[n]);
    mem_free(reply->items);
    mem_free(reply->text);
    mem_free(reply);
}

static struct RedisArray *new_reply(const redisReadTask *task)
{
    struct RedisArray *reply = mem_zero(1, sizeof(*reply));
    reply->type = task->type;
    if (task->parent != NULL) {
        struct RedisArray *parent = task->parent->obj;
        parent->items[task->idx] = reply;
    }
    return reply;
}

static void *new_text(const redisReadTask *task, char *text, size_t size)
{
    struct RedisArray *reply = new_reply(task);
    reply->text = mem_zero(1, size + 1);
    memcpy(reply->text, text, size);
    reply->size = size;
    return reply;
}

/* NULL stops the reader with an error: nobody asks for that much. */
static void *new_array(const redisReadTask *task, int elements)
{
    if (elements > ELEMENTS_MAX)
        return NULL;
    struct RedisArray *reply = new_reply(task);
    reply->count = elements > 0 ? (size_t)elements : 0;
    reply->items = mem_zero(reply->count, sizeof(struct RedisArray *));
    return reply;
}

static void *new_integer(const redisReadTask *task, long long value)
{
    char text[24];
    int size = snprintf(text, sizeof(text), "%lld", value);
    return new_text(task, text, (size_t)size);
}

static void *new_nil(const redisReadTask *task)
{
    struct RedisArray *reply = new_reply(task);
    reply->type = REDIS_REPLY_NIL; /* the task says which kind of thing is not there */
    return reply;
}

static void free_object(void *object)
{
    reply_free(object);
}

redisReplyObjectFunctions reply_functions(void)
{
    return (redisReplyObjectFunctions){.createString = new_text,
                                       .createArray = new_array,
                                       .createInteger = new_integer,
                                       .createNil = new_nil,
                                       .freeObject = free_object};
}

void reply_answer(const struct RedisArray *reply, struct RedisAnswer *out)
{
    if (reply->type == REDIS_REPLY_ARRAY) {
        out->answer.code = REDIS_ARRAY;
        out->array = reply;
    } else if (reply->type == REDIS_REPLY_NIL) {
        out->answer.code = REDIS_NIL;
    } else {
        out->answer.code = reply->type == REDIS_REPLY_ERROR ? REDIS_ERROR : REDIS_VALUE;
        out->answer.bytes = reply->text;
        out->answer.size = reply->size;
    }
}

const struct RedisArray *redis_array(const struct Answer *answer)
{
    return ((const struct RedisAnswer *)answer)->array;
}

size_t redis_count(const struct RedisArray *array)
{
    return array->count;
}

const char *redis_item(const struct RedisArray *array, size_t index)
{
    const struct RedisArray *item = index < array->count ? array->items[index] : NULL;
    return item != NULL && item->text != NULL ? item->text : "";
}

const struct RedisArray *redis_nested(const struct RedisArray *array, size_t index)
{
    const struct RedisArray *item = index < array->count ? array->items[index] : NULL;
    return item != NULL && item->type == REDIS_REPLY_ARRAY ? item : NULL;
}

const char *redis_pair(const struct RedisArray *array, const char *name)
{
    for (size_t n = 0; n + 1 < array->count; n += 2)
        if (text_equal(redis_item(array, n), name))
            return redis_item(array, n + 1);
    return NULL;
}

bool redis_info(const char *info, const char *name, char *out, size_t size)
{
    size_t name_size = strlen(name);
    for (const char *line = info; line != NULL && *line != '\0';) {
        const char *end = strpbrk(line, "\r\n");
        size_t length = end != NULL ? (size_t)(end - line) : strlen(line);
        if (length > name_size && line[name_size] == ':' && memcmp(line, name, name_size) == 0) {
            snprintf(out, size, "%.*s", (int)(length - name_size - 1), line + name_size + 1);
            return true;
        }
        line = end != NULL ? end + strspn(end, "\r\n") : NULL;
    }
    return false;
}

enum Failure redis_failure(const struct Answer *answer)
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
        {"MOVED ", FAILURE_WRONG_RANK},       {"ASK ", FAILURE_WRONG_RANK},
    };
    for (size_t n = 0; n < COUNT_OF(words); n++)
        if (text_starts(answer->bytes, words[n].word))
            return words[n].failure;
    return FAILURE_OTHER;
}
