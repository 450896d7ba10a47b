/* arena.h - memory that is freed as a whole. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_BASE_ARENA_H
#define FD_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

/* Nothing in an arena is freed alone; a pointer lives as long as its arena. Never NULL: past the
 * limit, or out of memory, the program stops, which is the crash the undo log is for. A scenario
 * has one, a run one, an attempt none. Not for two threads at once. */
struct Arena;
struct Arena *arena_new(const char *name, size_t limit_bytes);
void arena_free(struct Arena *arena); /* accepts NULL */
void *arena_zero(struct Arena *arena, size_t count, size_t size); /* zeroed, aligned for anything */
char *arena_text(struct Arena *arena, const char *text);          /* a copy; NULL gives NULL */
/* A copy, and a NUL behind it. */
char *arena_bytes(struct Arena *arena, const char *bytes, size_t size);
char *arena_printf(struct Arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A counted array in an arena. `items` points at `count` elements of one size, which the place
 * that declares the List names. */
struct List {
    void *items;
    size_t count;
};
/* Appends one zeroed element and returns it, for lists that only this has filled;
 * earlier pointers into items become stale. */
void *list_add(struct List *list, struct Arena *arena, size_t size);

/* malloc that stops the program when there is none; for library glue and long-lived owners. */
void *mem_zero(size_t count, size_t size);
void *mem_grow(void *old, size_t size);
char *mem_text(const char *text);
void mem_free(void *memory); /* accepts NULL */

#endif
