/* get.h - what the kinds share that ask an HTTP API one question by GET, and read its answer. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_PROBES_GET_H
#define FD_PROBES_GET_H

#include "../runner/clients/http.h"
#include "../runner/model/probe.h"

/* Fills `reply` and, where it is no good one, `detail`; also of calls that were not answered. */
typedef void GetJudge(const void *config, const struct Answer *answer, struct Reply *reply,
                      struct Buf *detail);
struct GetSlot {
    struct Call *call;
    struct Attempt *attempt;
    struct Get *get;
};
enum { URL_MOST = 8192 };
struct GetInput {
    const struct ProbeInput *probe;
    const struct Buf *url;      /* copied; of URL_MOST bytes */
    const char *long_part;      /* what may be too long in it: "the query is" */
    const struct List *headers; /* of struct TextPair; values may be secrets */
    GetJudge *judge;
};
/* A kind's open, whose slots are struct GetSlot; the rest fits its ProbeKind as it is. */
void *get_open(const struct GetInput *input, struct Loop *loop, struct Err *err);
void get_start(void *probe, void *slot, struct Attempt *attempt);
void get_cancel(void *probe, void *slot);
void get_close(void *probe);

struct Decode;
struct Node;
/* The URL of the API: as given, else that of the endpoint `name`. NULL, said at `node`, where there
 * is none, or it is none. */
const char *get_api(const char *given, const char *name, const struct Node *node,
                    struct Decode *decode);
/* "BASE/PATH?KEY=" and the value, as URLs write it. */
void get_url(const char *base, const char *path, const char *value, struct Buf *out);
void get_quote(const char *text, struct Buf *out);

#endif
