/* queue.c - a bounded queue of fixed-size items between two threads. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "queue.h"

#include <stdatomic.h>
#include <string.h>

#include "arena.h"
#include "err.h"

/* `put` belongs to the writer, `taken` to the reader; each only reads the other's. They count for
 * ever and lie on cache lines of their own. */
struct Queue {
    size_t item_size, room;
    unsigned char *items;
    char pad_put[64];
    _Atomic uint64_t put;
    _Atomic uint64_t lost;
    char pad_taken[64];
    _Atomic uint64_t taken;
};

struct Queue *queue_new(size_t item_size, size_t room)
{
    if (item_size == 0 || room == 0)
        bug("a queue of %zu items of %zu bytes", room, item_size);
    struct Queue *queue = mem_zero(1, sizeof(*queue));
    queue->item_size = item_size;
    queue->room = room;
    queue->items = mem_zero(room, item_size);
    return queue;
}

void queue_free(struct Queue *queue)
{
    if (queue == NULL)
        return;
    mem_free(queue->items);
    mem_free(queue);
}

static unsigned char *slot(const struct Queue *queue, uint64_t index)
{
    return queue->items + (size_t)(index % queue->room) * queue->item_size;
}

bool queue_put(struct Queue *queue, const void *item)
{
    uint64_t put = atomic_load_explicit(&queue->put, memory_order_relaxed);
    uint64_t taken = atomic_load_explicit(&queue->taken, memory_order_acquire);
    if (put - taken >= queue->room) {
        atomic_fetch_add_explicit(&queue->lost, 1, memory_order_relaxed);
        return false;
    }
    memcpy(slot(queue, put), item, queue->item_size);
    atomic_store_explicit(&queue->put, put + 1, memory_order_release);
    return true;
}

bool queue_take(struct Queue *queue, void *item)
{
    uint64_t taken = atomic_load_explicit(&queue->taken, memory_order_relaxed);
    uint64_t put = atomic_load_explicit(&queue->put, memory_order_acquire);
    if (taken == put)
        return false;
    memcpy(item, slot(queue, taken), queue->item_size);
    atomic_store_explicit(&queue->taken, taken + 1, memory_order_release);
    return true;
}

uint64_t queue_lost(const struct Queue *queue)
{
    return atomic_load_explicit(&queue->lost, memory_order_relaxed);
}
