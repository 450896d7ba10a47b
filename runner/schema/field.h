/* field.h - the one declaration of all that can stand in a file. A key not here does not exist. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SCHEMA_FIELD_H
#define FD_SCHEMA_FIELD_H

#include "document.h"

struct Record;
struct Decode;

enum FieldType {
    FIELD_NODE,     /* no key of its own (name ""): stores the record's const struct Node * */
    FIELD_BOOL,     /* bool */
    FIELD_INT,      /* int64_t */
    FIELD_DURATION, /* int64_t nanoseconds */
    FIELD_SIZE,     /* int64_t bytes */
    FIELD_SHARE,    /* int64_t millionths */
    FIELD_RATE,     /* int64_t nanoseconds between two (20/s = 50 ms) */
    FIELD_BITS,     /* int64_t bits a second (1Mbit/s) */
    FIELD_LOSS,     /* struct Loss: a count, or a duration */
    FIELD_PICK,     /* struct Pick: a count, a share, or `all` */
    FIELD_TEXT,     /* const char *, in the arena; NULL where not given */
    FIELD_CHOICE,   /* int, one of `choices` */
    FIELD_RECORD,   /* const struct *, in the arena; NULL where not given and no FIELD_ALWAYS */
    FIELD_LIST,     /* struct List of `of` records (structs in place), of const char * where `of`
                       is NULL; a single scalar or map counts as a list of one */
    FIELD_MAP,      /* struct List of `of` records; each record's FIELD_NAME gets the key */
    FIELD_NAME,     /* const char *: the key under which a record stands in a FIELD_MAP; name "" */
    FIELD_TEXTS,    /* struct List of struct TextPair: any keys with scalar values */
    FIELD_ANY       /* const struct Node *: taken as it stands, any shape */
};
enum FieldFlag {
    FIELD_REQUIRED = 1,
    FIELD_SECRET = 2,     /* never printed, stored or logged; must be a ${secret.NAME} reference */
    FIELD_PROSE = 4,      /* title, owner, ...: outside both hashes */
    FIELD_JUDGE = 8,      /* halt, expect: outside the behaviour hash (DESIGN.md 13) */
    FIELD_SUBJECT = 16,   /* a variant's field that takes the value of the variant's own key:
                             `http: URL` sets the field "url" of the http record */
    FIELD_UNSET = 32,     /* numbers: FIELD_NOT_GIVEN where the key is missing, instead of zero */
    FIELD_ALWAYS = 64,    /* FIELD_RECORD: read from an empty map where missing: defaults stand */
    FIELD_SCRIPT = 128,   /* shell text: ${ns.name} are checked but left (LANGUAGE.md rule 10) */
    FIELD_SNAKE = 256,    /* FIELD_TEXT, FIELD_NAME: must be a snake_case name */
    FIELD_DASHES = 512,   /* FIELD_NAME: dashes too */
    FIELD_HOST = 1024,    /* FIELD_NAME: as hosts are named: dots, dashes, digits first */
    FIELD_NAMES = 2048,   /* FIELD_MAP: a list of names stands for a map of empty records */
    FIELD_SCALARS = 4096, /* FIELD_MAP, FIELD_LIST: a scalar stands for a record with that
                             FIELD_ALONE */
    FIELD_ALONE = 8192,   /* what a scalar in the place of the record means */
    FIELD_ELSEWHERE =
        16384,           /* FIELD_REQUIRED, but another file may say it: no schema asks for it */
    FIELD_GROUP = 32768, /* FIELD_MAP, FIELD_LIST of texts: names of hosts; a scalar may be a
                                group of the inventory, which is known later: a map stays empty. The
                                file names its inventory under the same key */
    /* FIELD_TEXT of FIELD_SECRET: a map of `of` that says whence it comes may stand there; whoever
     * reads the file has taken it out before. */
    FIELD_SOURCE = 65536
};
#define FIELD_NOT_GIVEN INT64_MIN

struct Loss {
    bool given, is_duration;
    int64_t value; /* writes, or nanoseconds */
};
enum PickType { PICK_ALL, PICK_COUNT, PICK_SHARE };
struct Pick {
    enum PickType type;
    int64_t value; /* hosts, or millionths */
};
struct TextPair {
    const char *name, *value;
    struct Where where;
};
struct Choice {
    const char *name;
    int value;
    const char *doc;
};

struct Field {
    const char *name; /* the YAML key, snake_case; NULL ends a table */
    enum FieldType type;
    size_t offset; /* offsetof() in the record's C struct */
    unsigned flags;
    const char *fallback; /* default as written in YAML, parsed by the same code; NULL = zero */
    int64_t min, max;     /* in its unit, of lists and maps their count; both 0 = unbounded */
    const struct Choice *choices; /* ends with a NULL name; also of the texts of a FIELD_LIST */
    const struct Record *of;
    const char *example, *doc; /* as written in YAML; one sentence with a full stop */
};

/* One of several kinds that a record may be (a probe is an http, a redis ...): the kind's fields
 * stand beside the record's own, and its FIELD_SUBJECT takes the value of its key. A kind without a
 * FIELD_SUBJECT has its fields inside that value instead (`redis_sentinel: {master: shop}`), or
 * none where the record is only its name (`reach: local`). `kind` is the ProbeKind, FaultKind ...
 * of the floor above. */
struct Variant {
    const char *name, *summary;
    const struct Record *record;
    const void *kind;
};
struct VariantSet {
    const char *name; /* "probe", "step", "system", "reach" */
    const struct Variant *at;
    size_t count;
};
/* Where a record with variants keeps the one that was chosen. */
struct Chosen {
    const struct Variant *variant; /* NULL: none was given (an error unless variant_optional) */
    void *config;                  /* variant->record->size bytes in the arena */
    struct Where where;            /* of the variant's key */
};

struct Record {
    const char *name, *doc;
    size_t size;
    const struct Field *fields;
    const char *variants;  /* the VariantSet's name, or NULL */
    size_t variant_offset; /* of a struct Chosen */
    bool variant_optional;
    /* Rules between fields. May be NULL. Called once, after all fields were read without error. */
    void (*check)(const void *record, const struct Node *node, struct Decode *decode);
};

#endif
