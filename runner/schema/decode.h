/* decode.h - a tree, read by a table of fields into C structs; and back as canonical JSON. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SCHEMA_DECODE_H
#define FD_SCHEMA_DECODE_H

#include "../base/json.h"
#include "field.h"

enum RefAnswer {
    REF_VALUE,   /* *value is what the reference stands for; borrowed until decoding ends */
    REF_LATER,   /* known to be good, but its value comes later: text keeps ${...} as written, and a
                    field that is no text its default (see `later`) */
    REF_UNKNOWN, /* nothing of that name: *names / *count may give what exists, for the nearest */
    REF_NO_SPACE /* no such name space */
};
/* Answers `${ns.name}`; `name` may hold further dots (target.victim.address). */
typedef enum RefAnswer RefFn(void *data, const char *ns, const char *name, const char **value,
                             const char *const **names, size_t *count);

struct Decode {
    struct Arena *arena;
    struct Problems *problems;
    const struct VariantSet *sets; /* all there are; borrowed */
    size_t set_count;
    RefFn *reference; /* NULL: every ${...} stays as written, unchecked */
    void *reference_data;
    /* Filled by decoding, starts empty: of const char *, "every: ${env.pace}", the fields that are
     * no text and whose value comes later; canonical_write cannot know of them. */
    struct List later;
};

/* Fills `out` (record->size zeroed bytes). All problems are added, none stops it; false where any
 * was an error. Unknown keys get the nearest name and what is allowed. A secret field must be a
 * reference to ${secret.NAME}, which it keeps as written. */
bool decode_record(struct Decode *decode, const struct Node *node, const struct Record *record,
                   void *out);
const struct VariantSet *decode_set(const struct Decode *decode, const char *name);

/* Replaces every ${ns.name} in `text`; other `$` stay. False, with a problem at `where`, where one
 * names nothing. *out is in the arena. */
bool reference_fill(struct Decode *decode, const char *text, struct Where where, const char **out);
/* Calls `each` for every ${ns.name} in text, in order; start and size are its bytes in `text`. */
void reference_each(const char *text,
                    void (*each)(void *data, const char *ns, const char *name, size_t start,
                                 size_t size),
                    void *data);

/* A RefFn for files in which nothing is filled in: there is no name space at all. */
enum RefAnswer reference_none(void *data, const char *ns, const char *name, const char **value,
                              const char *const **names, size_t *count);

/* True where the text holds one; where it is one and nothing else, of this name space. */
bool reference_present(const char *text);
bool reference_is_whole(const char *text, const char *ns);

/* The record as canonical JSON: keys sorted, defaults filled in, fields with any flag of `without`
 * left out, secrets as their reference. Equal meaning, equal bytes. */
void canonical_write(const struct Record *record, const void *value, unsigned without,
                     struct Json *json);

#endif
