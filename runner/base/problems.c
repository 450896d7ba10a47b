/* problems.c - many errors, collected instead of stopping at the first. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "err.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"

struct Problem {
    struct Err err;
    size_t order; /* of adding, so that sorting is stable */
};

/* Who has more than that to mend begins with these; the others are only counted. */
enum { KEPT_MOST = 1000 };

struct Problems {
    struct Problem *items;
    size_t count, room, warnings;
    size_t dropped; /* the last of them stands behind those that are kept */
};

struct Problems *problems_new(void)
{
    return mem_zero(1, sizeof(struct Problems));
}

void problems_free(struct Problems *problems)
{
    if (problems == NULL)
        return;
    mem_free(problems->items);
    mem_free(problems);
}

static bool is_warning(const struct Err *err)
{
    return err_number(err->code)[0] == 'W';
}

void problems_add(struct Problems *problems, const struct Err *err)
{
    if (is_warning(err))
        problems->warnings++;
    if (problems->count == problems->room) {
        problems->room = problems->room == 0 ? 8 : problems->room * 2;
        problems->items = mem_grow(problems->items, problems->room * sizeof(*problems->items));
    }
    problems->items[problems->count] = (struct Problem){.err = *err, .order = problems->count};
    if (problems->count == KEPT_MOST)
        problems->dropped++;
    else
        problems->count++;
}

void problems_say(struct Problems *problems, enum ErrCode code, struct Where where,
                  const char *hint, const char *format, ...)
{
    char message[sizeof(((struct Err *)0)->message) + 1];
    va_list values;
    va_start(values, format);
    vsnprintf(message, sizeof(message), format, values);
    va_end(values);
    struct Err err;
    err_set(&err, code, where, "%s", message);
    if (hint != NULL)
        err_hint(&err, "%s", hint);
    problems_add(problems, &err);
}

struct Err *problems_last(struct Problems *problems)
{
    if (problems->count == 0)
        bug("there is no problem yet");
    return &problems->items[problems->count - (problems->dropped > 0 ? 0 : 1)].err;
}

struct Err *problems_edit(struct Problems *problems, size_t index)
{
    if (index >= problems->count)
        bug("there is no problem %zu", index);
    return &problems->items[index].err;
}

size_t problems_errors(const struct Problems *problems)
{
    return problems->count + problems->dropped - problems->warnings;
}

size_t problems_warnings(const struct Problems *problems)
{
    return problems->warnings;
}

const struct Err *problems_at(const struct Problems *problems, size_t index)
{
    if (index >= problems->count)
        bug("problem %zu of %zu", index, problems->count);
    return &problems->items[index].err;
}

size_t problems_count(const struct Problems *problems)
{
    return problems->count;
}

/* DESIGN.md 9: not undone outranks all, then our own failure, then halted, then the others. */
static int rank(int status)
{
    static const int worst_first[] = {6, 8, 5, 7, 1, 4, 3, 2};
    for (size_t place = 0; place < COUNT_OF(worst_first); place++) {
        if (worst_first[place] == status)
            return (int)(COUNT_OF(worst_first) - place);
    }
    return 0;
}

int problems_status(const struct Problems *problems)
{
    int worst = 0;
    for (size_t n = 0; n < problems->count; n++) {
        int status = err_status(problems->items[n].err.code);
        if (rank(status) > rank(worst))
            worst = status;
    }
    return worst;
}

static int compare(const void *left, const void *right)
{
    const struct Problem *a = left, *b = right;
    const struct Where *at = &a->err.where, *bt = &b->err.where;
    int files = strcmp(at->file != NULL ? at->file : "", bt->file != NULL ? bt->file : "");
    if (files != 0)
        return files;
    if (at->line != bt->line)
        return at->line < bt->line ? -1 : 1;
    if (at->column != bt->column)
        return at->column < bt->column ? -1 : 1;
    int numbers = strcmp(err_number(a->err.code), err_number(b->err.code));
    if (numbers != 0)
        return numbers;
    return a->order < b->order ? -1 : a->order > b->order;
}

void problems_sort(struct Problems *problems)
{
    if (problems->count > 1)
        qsort(problems->items, problems->count, sizeof(*problems->items), compare);
}
