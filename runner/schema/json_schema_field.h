/* json_schema_field.h - the JSON Schema of one field. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SCHEMA_JSON_SCHEMA_FIELD_H
#define FD_SCHEMA_JSON_SCHEMA_FIELD_H

#include "words.h"

enum { SCHEMA_RECORDS_MAX = 256 };

/* Each record is a definition of its own, so that records may hold each other. */
struct Schema {
    struct Words words;
    struct Json *json;
    const struct Record *records[SCHEMA_RECORDS_MAX];
    size_t count;
    char name[96]; /* of the definition that was named last */
};

/* "probe", and "probe_2" for the second record of that name. */
const char *schema_name(struct Schema *schema, const struct Record *record);
void schema_put_ref(struct Schema *schema, const struct Record *record);
/* Key and schema of one field; `name` is the key, which for a subject is the variant's. */
void schema_put_property(struct Schema *schema, const char *name, const char *doc,
                         const struct Field *field);
/* The definitions that fields of all records refer to: duration, share, reference ... */
void schema_put_patterns(struct Schema *schema);

#endif
