/* arena.c - memory that is freed as a whole. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "err.h"

/* Under AddressSanitizer each piece is a chunk of its own, so that it sees the ends of it. */
#if defined(__SANITIZE_ADDRESS__)
enum { CHUNK_BYTES = 0 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { CHUNK_BYTES = 0 };
#else
enum { CHUNK_BYTES = 16 * 1024 };
#endif
#else
enum { CHUNK_BYTES = 16 * 1024 };
#endif

struct Chunk {
    struct Chunk *next;
    size_t used, room;
    alignas(max_align_t) unsigned char bytes[];
};

struct Arena {
    const char *name;
    size_t limit, total;
    struct Chunk *chunks; /* newest first */
};

struct Arena *arena_new(const char *name, size_t limit_bytes)
{
    struct Arena *arena = mem_zero(1, sizeof(*arena));
    arena->name = name;
    arena->limit = limit_bytes;
    return arena;
}

void arena_free(struct Arena *arena)
{
    if (arena == NULL)
        return;
    for (struct Chunk *chunk = arena->chunks; chunk != NULL;) {
        struct Chunk *next = chunk->next;
        mem_free(chunk);
        chunk = next;
    }
    mem_free(arena);
}

void *arena_zero(struct Arena *arena, size_t count, size_t size)
{
    size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > arena->limit - arena->total)
        bug("the arena '%s' is past its limit of %zu bytes", arena->name, arena->limit);
    arena->total += bytes;
    size_t aligned = (bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    struct Chunk *chunk = arena->chunks;
    if (chunk == NULL || chunk->room - chunk->used < aligned || CHUNK_BYTES == 0) {
        size_t room = CHUNK_BYTES == 0 ? bytes : aligned > CHUNK_BYTES ? aligned : CHUNK_BYTES;
        chunk = mem_zero(1, sizeof(*chunk) + room);
        chunk->room = room;
        chunk->next = arena->chunks;
        arena->chunks = chunk;
    }
    void *memory = chunk->bytes + chunk->used;
    chunk->used += CHUNK_BYTES == 0 ? bytes : aligned;
    return memory;
}

char *arena_text(struct Arena *arena, const char *text)
{
    return text == NULL ? NULL : arena_bytes(arena, text, strlen(text));
}

char *arena_bytes(struct Arena *arena, const char *bytes, size_t size)
{
    char *copy = arena_zero(arena, size + 1, 1);
    if (size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

char *arena_printf(struct Arena *arena, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    int size = vsnprintf(NULL, 0, format, values);
    va_end(values);
    if (size < 0)
        bug("the format '%s' cannot be written", format);
    char *text = arena_zero(arena, (size_t)size + 1, 1);
    va_start(values, format);
    vsnprintf(text, (size_t)size + 1, format, values);
    va_end(values);
    return text;
}

/* There is room for the next power of two, so a count that is one is full. */
void *list_add(struct List *list, struct Arena *arena, size_t size)
{
    if ((list->count & (list->count - 1)) == 0) {
        size_t room = list->count == 0 ? 1 : list->count * 2;
        void *items = arena_zero(arena, room, size);
        if (list->count > 0)
            memcpy(items, list->items, list->count * size);
        list->items = items;
    }
    return (unsigned char *)list->items + size * list->count++;
}
