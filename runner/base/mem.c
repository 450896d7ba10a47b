/* mem.c - malloc that stops the program when there is none. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"

void *mem_zero(size_t count, size_t size)
{
    void *memory = calloc(count > 0 ? count : 1, size > 0 ? size : 1);
    if (memory == NULL)
        bug("out of memory: %zu times %zu bytes", count, size);
    return memory;
}

void *mem_grow(void *old, size_t size)
{
    void *memory = realloc(old, size > 0 ? size : 1);
    if (memory == NULL)
        bug("out of memory: %zu bytes", size);
    return memory;
}

char *mem_text(const char *text)
{
    if (text == NULL)
        return NULL;
    size_t size = strlen(text) + 1;
    return memcpy(mem_zero(1, size), text, size);
}

void mem_free(void *memory)
{
    free(memory);
}
