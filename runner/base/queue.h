/* queue.h - a bounded queue of fixed-size items between two threads. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_BASE_QUEUE_H
#define FD_BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One writer thread, one reader thread, no locks. The prober's samples leave through one. */
struct Queue;
struct Queue *queue_new(size_t item_size, size_t room);
void queue_free(struct Queue *queue); /* accepts NULL; neither thread may use it any more */
bool queue_put(struct Queue *queue, const void *item); /* false: full, counted in queue_lost */
bool queue_take(struct Queue *queue, void *item);      /* false: empty */
uint64_t queue_lost(const struct Queue *queue);

#endif
