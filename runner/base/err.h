/* err.h - what went wrong, where, and what to do about it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_BASE_ERR_H
#define FD_BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A function that can fail returns bool (or a pointer) and takes `struct Err *err` last. On
 * failure outputs are untouched and *err is filled; success leaves *err alone. An Err is plain
 * memory of the caller: nothing to free. */

#define MUST_CHECK __attribute__((warn_unused_result))
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* One row of errors.def each: ERR_ROW(enum suffix, exit status, "E-number", "what it means"). */
enum ErrCode {
#define ERR_ROW(name, status, number, doc) ERR_##name,
#include "errors.def"
#undef ERR_ROW
    ERR_COUNT
};

/* A place in a file, both counted from 1; line 0 = no place. `file` is borrowed: it must live as
 * long as the Where. */
struct Where {
    const char *file;
    uint32_t line, column;
    uint32_t width; /* how many columns the caret underlines; 0 = one */
};

#define NOWHERE ((struct Where){.file = NULL})

struct Err {
    enum ErrCode code;
    struct Where where;
    char message[400]; /* lower case, no full stop, cut with "..." */
    char at[160];      /* behind the carets: "did you mean `for`?"; this and the rest may be "" */
    char allowed[128]; /* the `= allowed here:` line: names, separated by ", " */
    char note[240];    /* the `= note:` line: "defined in environments/staging.yaml:3" */
    char hint[240];    /* the `= help:` line: a sentence that says what to do */
};

/* Always false, so that failing reads `return err_set(err, ...)`. Clears what stands behind. The
 * values may point into *err itself: err_set(err, code, where, "on %s: %s", host, err->message). */
bool err_set(struct Err *err, enum ErrCode code, struct Where where, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Adds to an error that was just set: the hint; the text behind the carets; the note. Always
 * false. */
bool err_hint(struct Err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool err_at(struct Err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool err_note(struct Err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Appends one name to the `= allowed here:` line; what does not fit becomes ", ...". */
bool err_allow(struct Err *err, const char *name);

int err_status(enum ErrCode code);         /* exit status, DESIGN.md 9 */
const char *err_number(enum ErrCode code); /* "E104" */
const char *err_doc(enum ErrCode code);

/* A broken invariant: prints file and line and aborts. Never returns. */
#define bug(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void bug_at(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Many errors, collected instead of stopping at the first. Warnings have W-numbers in errors.def
 * and exit status 0. */
struct Problems;
struct Problems *problems_new(void);
void problems_free(struct Problems *problems); /* accepts NULL */
/* Copies *err; past the first thousand it is only counted. The file names of its Where must outlive
 * the Problems. */
void problems_add(struct Problems *problems, const struct Err *err);
/* Shorthand: err_set + problems_add. `hint` may be NULL. */
void problems_say(struct Problems *problems, enum ErrCode code, struct Where where,
                  const char *hint, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The one that was added last, so that err_at and the like may follow; bug() where none is. */
struct Err *problems_last(struct Problems *problems);
/* The one at `index`, to add to it. */
struct Err *problems_edit(struct Problems *problems, size_t index);
size_t problems_errors(const struct Problems *problems);   /* warnings not counted */
size_t problems_warnings(const struct Problems *problems);
/* In file order after sorting. */
const struct Err *problems_at(const struct Problems *problems, size_t index);
size_t problems_count(const struct Problems *problems);
/* The worst exit status of all errors; 0 where there are none. */
int problems_status(const struct Problems *problems);
/* Sorts by file, line, column, number. */
void problems_sort(struct Problems *problems);

#endif
