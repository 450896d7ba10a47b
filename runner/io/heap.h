/* heap.h - timers in the order in which they are due. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_IO_HEAP_H
#define FD_IO_HEAP_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/clock.h"

/* Owned by whoever puts it in; `place` is the heap's: index + 1, 0 = not in it. */
struct HeapNode {
    struct Mono when;
    uint64_t order; /* among equal times: which was set first */
    size_t place;
};
struct Heap {
    struct HeapNode **at;
    size_t count, room;
};
void heap_put(struct Heap *heap, struct HeapNode *node);  /* not in it before */
void heap_drop(struct Heap *heap, struct HeapNode *node); /* nothing where it is not in it */
struct HeapNode *heap_first(const struct Heap *heap);     /* NULL where empty */
void heap_free(struct Heap *heap);

#endif
