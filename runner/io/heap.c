/* heap.c - timers in the order in which they are due. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "heap.h"

#include "../base/arena.h"

static bool due_before(const struct HeapNode *a, const struct HeapNode *b)
{
    if (a->when.ns != b->when.ns)
        return a->when.ns < b->when.ns;
    return a->order < b->order;
}

static void set(struct Heap *heap, size_t index, struct HeapNode *node)
{
    heap->at[index] = node;
    node->place = index + 1;
}

static void rise(struct Heap *heap, size_t index, struct HeapNode *node)
{
    while (index > 0) {
        size_t parent = (index - 1) / 2;
        if (!due_before(node, heap->at[parent]))
            break;
        set(heap, index, heap->at[parent]);
        index = parent;
    }
    set(heap, index, node);
}

static void sink(struct Heap *heap, size_t index, struct HeapNode *node)
{
    for (;;) {
        size_t child = 2 * index + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && due_before(heap->at[child + 1], heap->at[child]))
            child++;
        if (!due_before(heap->at[child], node))
            break;
        set(heap, index, heap->at[child]);
        index = child;
    }
    set(heap, index, node);
}

void heap_put(struct Heap *heap, struct HeapNode *node)
{
    if (heap->count == heap->room) {
        heap->room = heap->room > 0 ? 2 * heap->room : 64;
        heap->at = mem_grow(heap->at, heap->room * sizeof(*heap->at));
    }
    rise(heap, heap->count++, node);
}

void heap_drop(struct Heap *heap, struct HeapNode *node)
{
    if (node->place == 0)
        return;
    size_t index = node->place - 1;
    struct HeapNode *last = heap->at[--heap->count];
    node->place = 0;
    if (last == node)
        return;
    if (index > 0 && due_before(last, heap->at[(index - 1) / 2]))
        rise(heap, index, last);
    else
        sink(heap, index, last);
}

struct HeapNode *heap_first(const struct Heap *heap)
{
    return heap->count > 0 ? heap->at[0] : NULL;
}

void heap_free(struct Heap *heap)
{
    mem_free(heap->at);
    *heap = (struct Heap){.at = NULL};
}
