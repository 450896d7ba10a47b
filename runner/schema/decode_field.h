/* decode_field.h - one value of a file, read into the place that its field names. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SCHEMA_DECODE_FIELD_H
#define FD_SCHEMA_DECODE_FIELD_H

#include "decode.h"

/* False, with a problem unless it was reported before, where the value does not fit. */
bool field_read(struct Decode *decode, const struct Field *field, const struct Node *node,
                void *at);
/* For a field that is not given; `where` is the place of its record. */
bool field_set_default(struct Decode *decode, const struct Field *field, struct Where where,
                       void *at);

#endif
