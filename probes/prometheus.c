/* prometheus.c - asks the user's Prometheus a query, and looks at every value of the answer. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../runner/base/text.h"
#include "../runner/clients/json_find.h"
#include "../runner/schema/decode.h"
#include "get.h"
#include "kinds.h"
#include "reply.h"

enum { SERIES_MOST = 1000 };

struct PrometheusOk {
    const char *value;
    int64_t under_ns;
};
struct PrometheusConfig {
    const char *query, *at;
    struct List headers; /* of struct TextPair */
    const struct PrometheusOk *ok;
    int64_t under_ns; /* ok's, where the engine finds it */
};

static const struct Field ok_fields[] = {
    {.name = "value",
     .type = FIELD_TEXT,
     .offset = offsetof(struct PrometheusOk, value),
     .flags = FIELD_REQUIRED,
     .example = "\"< 2\"",
     .doc = "What every value must be: <, <=, >, >=, == or != and a number, or a number alone."},
    {.name = "under",
     .type = FIELD_DURATION,
     .offset = offsetof(struct PrometheusOk, under_ns),
     .min = NS_PER_MS,
     .max = 60 * NS_PER_S,
     .example = "800ms",
     .doc = UNDER_DOC},
    {.name = NULL}};
static const struct Record ok_record = {.name = "ok",
                                        .doc = "What a good answer is.",
                                        .size = sizeof(struct PrometheusOk),
                                        .fields = ok_fields};

static const struct Field prometheus_fields[] = {
    {.name = "query",
     .type = FIELD_TEXT,
     .offset = offsetof(struct PrometheusConfig, query),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,
     .example = "\"shop:error_percent:rate1m\"",
     .doc = "The query, an instant one; an answer without data is a failure."},
    {.name = "at",
     .type = FIELD_TEXT,
     .offset = offsetof(struct PrometheusConfig, at),
     .example = "\"${endpoint.prometheus}\"",
     .doc = "The URL of the Prometheus that is asked; default: the endpoint `prometheus`."},
    {.name = "headers",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct PrometheusConfig, headers),
     .example = "{Authorization: \"${secret.prometheus}\"}",
     .doc = "Headers that are sent; a value may be a secret as a whole."},
    {.name = "ok",
     .type = FIELD_RECORD,
     .offset = offsetof(struct PrometheusConfig, ok),
     .flags = FIELD_REQUIRED,
     .of = &ok_record,
     .example = "{value: \"< 2\"}",
     .doc = "What a good answer is."},
    {.name = NULL}};

static void prometheus_check(const void *record, const struct Node *node, struct Decode *decode);
static void *prometheus_open(const struct ProbeInput *input, struct Loop *loop, struct Err *err);
static void prometheus_say(const void *config, struct Buf *out);

const struct ProbeKind prometheus_probe = {
    .name = "prometheus",
    .summary = "asks a Prometheus",
    .config = {.name = "prometheus",
               .doc = "Asks a Prometheus a query; every value of the answer must be good.",
               .size = sizeof(struct PrometheusConfig),
               .fields = prometheus_fields,
               .check = prometheus_check},
    .under_offset = 1 + offsetof(struct PrometheusConfig, under_ns),
    .slot_size = sizeof(struct GetSlot),
    .open = prometheus_open,
    .start = get_start,
    .cancel = get_cancel,
    .close = get_close,
    .say = prometheus_say,
};

/* ---- "< 2" ---- */

static const char *const OPERATORS[] = {"<=", ">=", "==", "!=", "<", ">"};

/* The index of the operator, 2 (==) where there is none; false where the rest is no number. */
static bool wanted_read(const char *text, size_t *how, double *number)
{
    char *end = NULL;
    *how = 2;
    for (size_t n = 0; n < COUNT_OF(OPERATORS); n++)
        if (text_starts(text, OPERATORS[n])) {
            *how = n;
            text += strlen(OPERATORS[n]);
            break;
        }
    text += strspn(text, " ");
    bool numeric = strchr("+-.0123456789", *text) != NULL && *text != '\0';
    *number = strtod(text, &end);
    return numeric && end != text && *end == '\0';
}

/* NaN is good for nothing but !=, as in PromQL. */
static bool compares(double value, size_t how, double wanted)
{
    switch (how) {
    case 0:
        return value <= wanted;
    case 1:
        return value >= wanted;
    case 2:
        return !(value < wanted) && !(value > wanted) && !isnan(value);
    case 3:
        return value < wanted || value > wanted || isnan(value);
    case 4:
        return value < wanted;
    default:
        return value > wanted;
    }
}

static void prometheus_check(const void *record, const struct Node *node, struct Decode *decode)
{
    struct PrometheusConfig *config = (struct PrometheusConfig *)record;
    size_t how;
    double number;
    config->under_ns = config->ok->under_ns;
    config->at = get_api(config->at, "prometheus", node, decode);
    if (config->ok->value == NULL || reference_present(config->ok->value) ||
        wanted_read(config->ok->value, &how, &number))
        return;
    const struct Node *place = node_get(node_get(node, "ok"), "value");
    problems_say(decode->problems, ERR_VALUE, place != NULL ? place->where : node->where,
                 "write it like \"< 2\", with one of < <= > >= == !=", "'%s' compares with nothing",
                 config->ok->value);
}

static void prometheus_say(const void *data, struct Buf *out)
{
    const struct PrometheusConfig *config = data;
    buf_printf(out, "%s %s, of %s", config->query, config->ok->value, config->at);
}

/* ---- what a good answer is ---- */

struct Values {
    size_t how, seen;
    double wanted;
    struct Buf *wrong;
};

static void judge_value(struct Values *values, const char *text, const char *wanted)
{
    char *end = NULL;
    double value = strtod(text, &end);
    values->seen++;
    if (end == text || *end != '\0')
        buf_printf(values->wrong, "the value is no number: %s", text);
    else if (!compares(value, values->how, values->wanted))
        buf_printf(values->wrong, "%s, not %s", text, wanted);
}

/* A vector has a value for each series; a scalar is one alone. */
static void judge_data(const struct PrometheusConfig *config, const struct JsonText *json,
                       struct Buf *wrong)
{
    struct Values values = {.wrong = wrong};
    struct Buf type = BUF(40), value = BUF(400);
    (void)wanted_read(config->ok->value, &values.how, &values.wanted);
    (void)json_text_find(json, "data.resultType", &type);
    bool scalar = text_equal(type.text, "scalar");
    if (!scalar && !text_equal(type.text, "vector"))
        buf_printf(wrong, "the answer is a %s, not values of now", type.text);
    for (size_t n = 0; n < SERIES_MOST && wrong->size == 0; n++) {
        char path[64] = "data.result.1";
        buf_clear(&value);
        if (!scalar)
            snprintf(path, sizeof(path), "data.result.%zu.value.1", n);
        if (!json_text_find(json, path, &value))
            break;
        judge_value(&values, value.text, config->ok->value);
        if (scalar)
            break;
    }
    if (values.seen == 0 && wrong->size == 0)
        buf_put(wrong, "no data");
    buf_free(&type);
    buf_free(&value);
}

static void judge(const void *data, const struct Answer *answer, struct Reply *reply,
                  struct Buf *wrong)
{
    if (answer->end != CALL_ANSWERED)
        return;
    if (answer->cut) {
        buf_put(wrong, "the answer is longer than is read: aggregate");
        reply->outcome = OUTCOME_BROKEN;
        return;
    }
    struct JsonText *json = json_text_read(answer->bytes, answer->size);
    struct Buf status = BUF(40);
    if (json != NULL)
        (void)json_text_find(json, "status", &status);
    if (text_equal(status.text, "success")) {
        judge_data(data, json, wrong);
    } else {
        buf_printf(wrong, "status %d: ", answer->code);
        if (json == NULL || !json_text_find(json, "error", wrong))
            buf_put(wrong, "no answer of a Prometheus");
    }
    reply->outcome = wrong->size > 0 ? OUTCOME_FAILED : OUTCOME_OK;
    if (wrong->size > 0)
        reply->failure = answer->code >= 500 ? FAILURE_UNAVAILABLE : FAILURE_CONTENT;
    buf_free(&status);
    json_text_free(json);
}

static void *prometheus_open(const struct ProbeInput *input, struct Loop *loop, struct Err *err)
{
    const struct PrometheusConfig *config = input->config;
    struct Buf url = BUF(URL_MOST);
    get_url(config->at, "/api/v1/query?query=", config->query, &url);
    const struct GetInput get = {.probe = input,
                                 .url = &url,
                                 .long_part = "the query is",
                                 .headers = &config->headers,
                                 .judge = judge};
    void *probe = get_open(&get, loop, err);
    buf_free(&url);
    return probe;
}
