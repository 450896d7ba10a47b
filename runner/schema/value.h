/* value.h - one scalar, read and written as its field's type says. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SCHEMA_VALUE_H
#define FD_SCHEMA_VALUE_H

#include "decode.h"

/* Reads a scalar into the C value at `at`; false, with a problem, where it is none of that type. A
 * value that comes later leaves `at` alone and sets *later. */
bool value_decode(struct Decode *decode, const struct Field *field, const struct Node *node,
                  void *at, bool *later);
/* A text as FIELD_TEXT is read: references filled in, or checked where `flags` say so. */
bool value_text(struct Decode *decode, const char *name, unsigned flags, const struct Node *node,
                const char **out);
/* False, with a problem, where the key is not written as `field` (a FIELD_NAME) wants names. */
bool value_name(struct Decode *decode, const struct Field *field, const struct Node *key);
/* False, with a problem at `where`, where a number is outside the field's bounds; `written` NULL:
 * it is the count of a list's entries. */
bool value_in_range(struct Decode *decode, const struct Field *field, struct Where where,
                    int64_t value, const char *written);
/* "`every` must be a duration, not a list": always false. */
bool value_wrong_type(struct Decode *decode, const struct Field *field, const struct Node *node);

/* "a duration"; what people may write there. */
const char *type_say(enum FieldType type);
/* A number in the unit of its type, as files write it: 1m30s, 64MiB, 34%, 20/s. */
void number_write(enum FieldType type, int64_t value, char out[32]);
/* What was surely meant: "200 ms" is 200ms, "5 minutes" 5m. False where nothing is sure. */
bool value_guess(enum FieldType type, const char *text, char out[32]);

#endif
