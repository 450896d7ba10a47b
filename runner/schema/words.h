/* words.h - every word that can stand in a file, with the path that leads to it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SCHEMA_WORDS_H
#define FD_SCHEMA_WORDS_H

#include "describe.h"

/* All tables at hand, borrowed. */
struct Words {
    const struct FileKind *files;
    size_t file_count;
    const struct VariantSet *sets;
    size_t set_count;
};

/* One word: a kind of file, a field or a variant; borrowed for the call. */
struct Word {
    const char *path;           /* "scenario.steps.kill.for" */
    const struct Record *owner; /* in which it stands; NULL for a kind of file */
    const struct Record *inside; /* whose keys stand below it, or NULL */
    const struct FileKind *file;
    const struct Field *field;     /* NULL unless it is one */
    const struct Variant *variant; /* NULL unless it is one */
    bool by_kind;                  /* an owner's field, reached through one of its variants */
};
typedef void WordFn(void *data, const struct Word *word);
/* In the order of the tables; a record inside itself is not entered again. */
void words_each(const struct Words *words, WordFn *each, void *data);

const struct VariantSet *words_set(const struct Words *words, const struct Record *record);
/* The field that takes the value of the variant's key, or NULL. */
const struct Field *variant_subject(const struct Variant *variant);
/* "duration", "one of halves, majority", "list of step". */
void field_type_write(const struct Field *field, struct Buf *out);
/* "from 1ms to 1h", or nothing where it is unbounded. */
void field_range_write(const struct Field *field, struct Buf *out);
/* "required", the default, or nothing. */
const char *field_default(const struct Field *field);
/* A key of its own: no subject, no name, no node. */
bool field_is_key(const struct Field *field);

#endif
