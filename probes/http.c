/* http.c - asks a URL, and looks at status, time and content of the answer. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../runner/base/arena.h"
#include "../runner/base/duration.h"
#include "../runner/base/text.h"
#include "../runner/clients/http.h"
#include "../runner/clients/json_find.h"
#include "../runner/model/environment.h"
#include "../runner/schema/decode.h"
#include "certificate.h"
#include "kinds.h"
#include "place.h"
#include "reply.h"

struct HttpOk {
    struct List status; /* of const char * */
    int64_t under_ns;
    const char *body;
    struct List json; /* of struct TextPair */
    int64_t certificate_days;
};
struct HttpConfig {
    const char *url, *method, *body;
    struct List headers; /* of struct TextPair */
    const struct HttpOk *ok;
    int64_t under_ns; /* ok's, where the engine finds it */
};

static const struct Field ok_fields[] = {
    {.name = "status",
     .type = FIELD_LIST,
     .offset = offsetof(struct HttpOk, status),
     .fallback = "200",
     .example = "[200, 204]",
     .doc = "The statuses that are good."},
    {.name = "under",
     .type = FIELD_DURATION,
     .offset = offsetof(struct HttpOk, under_ns),
     .min = NS_PER_MS,
     .max = 60 * NS_PER_S,
     .example = "800ms",
     .doc = UNDER_DOC},
    {.name = "body",
     .type = FIELD_TEXT,
     .offset = offsetof(struct HttpOk, body),
     .example = "ready",
     .doc = "A text that the body must contain."},
    {.name = "json",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct HttpOk, json),
     .example = "{status: ok, members.0.state: streaming}",
     .doc = "Values that the body, as JSON, must have at these paths."},
    CERTIFICATE_DAYS_FIELD(struct HttpOk),
    {.name = NULL}};
static const struct Record ok_record = {.name = "ok",
                                        .doc = "What a good answer is.",
                                        .size = sizeof(struct HttpOk),
                                        .fields = ok_fields};

static const struct Field http_fields[] = {
    {.name = "url",
     .type = FIELD_TEXT,
     .offset = offsetof(struct HttpConfig, url),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,
     .example = "\"${endpoint.api}/healthz\"",
     .doc = "The URL that is asked; redirects are not followed."},
    {.name = "method",
     .type = FIELD_TEXT,
     .offset = offsetof(struct HttpConfig, method),
     .fallback = "GET",
     .example = "POST",
     .doc = "The method of the request."},
    {.name = "body",
     .type = FIELD_TEXT,
     .offset = offsetof(struct HttpConfig, body),
     .example = "'{\"item\": 1}'",
     .doc = "The body that is sent."},
    {.name = "headers",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct HttpConfig, headers),
     .example = "{X-Drill: faildrill, Authorization: \"${secret.api}\"}",
     .doc = "Headers that are sent; a value may be a secret as a whole."},
    {.name = "ok",
     .type = FIELD_RECORD,
     .offset = offsetof(struct HttpConfig, ok),
     .flags = FIELD_ALWAYS,
     .of = &ok_record,
     .example = "{status: 200, under: 800ms}",
     .doc = "What a good answer is."},
    {.name = NULL}};

static void http_check(const void *record, const struct Node *node, struct Decode *decode);
static void *http_probe_open(const struct ProbeInput *input, struct Loop *loop, struct Err *err);
static void http_start(void *probe, void *slot, struct Attempt *attempt);
static void http_cancel(void *probe, void *slot);
static void http_probe_close(void *probe);
static void http_say(const void *config, struct Buf *out);

struct HttpSlot {
    struct Call *call;
    struct Attempt *attempt;
    struct HttpProbe *probe;
};
struct HttpProbe {
    const struct HttpConfig *config;
    struct HttpClient *client;
    struct HttpRequest request;
    struct TextPair *headers; /* with the values of secrets */
    struct Place place;
    struct Endpoint through;
};

const struct ProbeKind http_probe = {
    .name = "http",
    .summary = "asks a URL",
    .config = {.name = "http",
               .doc = "Asks a URL; a new connection each time, resolved anew.",
               .size = sizeof(struct HttpConfig),
               .fields = http_fields,
               .check = http_check},
    .has_status = true,
    .under_offset = 1 + offsetof(struct HttpConfig, under_ns),
    .slot_size = sizeof(struct HttpSlot),
    .open = http_probe_open,
    .start = http_start,
    .cancel = http_cancel,
    .close = http_probe_close,
    .say = http_say,
};

static const struct Node *ok_node(const struct Node *node, const char *key)
{
    return node_get(node_get(node, "ok"), key);
}

/* libcurl shows a certificate with the handshake only. */
static void check_certificate(const struct HttpConfig *config, const struct Node *node,
                              struct Decode *decode)
{
    const struct Node *days = ok_node(node, "certificate_days");
    const struct Node *connection = node_get(node, "connection");
    if (days == NULL)
        return;
    if (!reference_present(config->url) && strncasecmp(config->url, "https:", 6) != 0)
        problems_say(decode->problems, ERR_RULE, days->where, "ask an https URL, or use `tls`",
                     "'%s' shows no certificate", config->url);
    if (connection != NULL && text_equal(connection->text, "keep"))
        problems_say(decode->problems, ERR_RULE, days->where, "leave out `connection: keep`",
                     "a certificate is shown on a new connection only");
}

static void http_check(const void *record, const struct Node *node, struct Decode *decode)
{
    struct HttpConfig *config = (struct HttpConfig *)record;
    config->under_ns = config->ok->under_ns;
    check_certificate(config, node, decode);
    const struct Node *url = node_get(node, "http");
    const char *why =
        reference_present(config->url) ? NULL : http_url_fault(config->url, NULL, 0, NULL);
    if (why != NULL)
        problems_say(decode->problems, ERR_VALUE, url != NULL ? url->where : node->where,
                     "write it like \"http://10.0.0.1:8080/healthz\"",
                     "'%s' is no URL that can be asked: %s", config->url, why);
    const char *const *status = config->ok->status.items;
    const struct Node *place = ok_node(node, "status");
    for (size_t n = 0; n < config->ok->status.count; n++) {
        int64_t number = 0;
        if (!reference_present(status[n]) &&
            (!int_parse(status[n], &number, NULL) || number < 100 || number > 599))
            problems_say(decode->problems, ERR_VALUE, place != NULL ? place->where : node->where,
                         "write a number from 100 to 599, or a list of them",
                         "'%s' is no HTTP status", status[n]);
    }
}

static void http_say(const void *data, struct Buf *out)
{
    const struct HttpConfig *config = data;
    buf_printf(out, "%s %s", config->method, config->url);
}

/* ---- what a good answer is ---- */

static bool status_is_good(const struct HttpOk *ok, int status)
{
    const char *const *texts = ok->status.items;
    for (size_t n = 0; n < ok->status.count; n++) {
        int64_t number = 0;
        if (int_parse(texts[n], &number, NULL) && number == status)
            return true;
    }
    return ok->status.count == 0 && status == 200;
}

/* 1 and 1.0 are one number. */
static bool same_value(const char *wanted, const char *found)
{
    if (text_equal(wanted, found))
        return true;
    char *wanted_end = NULL, *found_end = NULL;
    double a = strtod(wanted, &wanted_end), b = strtod(found, &found_end);
    return wanted_end != wanted && *wanted_end == '\0' && found_end != found &&
           *found_end == '\0' && fabs(a - b) <= 1e-12 * fabs(a);
}

/* What is wrong with the body, or "". */
static void judge_json(const struct HttpOk *ok, const struct Answer *answer, struct Buf *wrong)
{
    struct JsonText *json = json_text_read(answer->bytes, answer->size);
    if (json == NULL) {
        buf_put(wrong, "the body is no JSON");
        return;
    }
    const struct TextPair *pairs = ok->json.items;
    for (size_t n = 0; n < ok->json.count && wrong->size == 0; n++) {
        struct Buf found = BUF(1024);
        if (!json_text_find(json, pairs[n].name, &found))
            buf_printf(wrong, "%s is missing", pairs[n].name);
        else if (!same_value(pairs[n].value, found.text))
            buf_printf(wrong, "%s is %s instead of %s", pairs[n].name, found.text, pairs[n].value);
        buf_free(&found);
    }
    json_text_free(json);
}

static bool contains(const struct Answer *answer, const char *text)
{
    size_t size = strlen(text);
    for (size_t at = 0; at + size <= answer->size; at++)
        if (memcmp(answer->bytes + at, text, size) == 0)
            return true;
    return false;
}

static void judge(const struct HttpOk *ok, const struct Answer *answer, struct Reply *reply,
                  struct Buf *wrong)
{
    if (!status_is_good(ok, answer->code)) {
        buf_printf(wrong, "status %d", answer->code);
        reply->failure = answer->code >= 500 ? FAILURE_UNAVAILABLE : FAILURE_CONTENT;
    } else if (ok->body != NULL && !contains(answer, ok->body)) {
        buf_printf(wrong, "the body lacks \"%s\"", ok->body);
        reply->failure = FAILURE_CONTENT;
    } else if (ok->json.count > 0) {
        judge_json(ok, answer, wrong);
        reply->failure = wrong->size > 0 ? FAILURE_CONTENT : FAILURE_NONE;
    }
    reply->outcome = wrong->size > 0 ? OUTCOME_FAILED : OUTCOME_OK;
    if (reply->failure == FAILURE_CONTENT && answer->cut && status_is_good(ok, answer->code)) {
        buf_clear(wrong);
        buf_put(wrong, "the answer is longer than is read: what is expected may stand in the rest");
        reply->outcome = OUTCOME_BROKEN;
        reply->failure = FAILURE_NONE;
    }
    reply->detail = wrong->text;
}

/* ---- attempts ---- */

static void on_answer(void *data, const struct Answer *answer)
{
    struct HttpSlot *slot = data;
    slot->call = NULL;
    if (answer->end != CALL_ANSWERED) {
        struct Reply failed = reply_of_end(answer);
        attempt_done(slot->attempt, &failed);
        return;
    }
    struct Buf wrong = BUF(DETAIL_MOST);
    struct Reply reply = {.code = answer->code, .connected = true, .by = answer->peer};
    const struct HttpOk *ok = slot->probe->config->ok;
    judge(ok, answer, &reply, &wrong);
    if (reply.outcome == OUTCOME_OK)
        certificate_judge(ok->certificate_days, http_certificate_ends(answer), &reply, &wrong);
    if (reply.failure == FAILURE_TLS) /* it was answered all the same, with this code */
        reply.failure = FAILURE_CONTENT;
    reply.detail = wrong.text;
    attempt_done(slot->attempt, &reply);
    buf_free(&wrong);
}

static void http_start(void *data, void *memory, struct Attempt *attempt)
{
    struct HttpSlot *slot = memory;
    slot->probe = data;
    slot->attempt = attempt;
    slot->call = http_call(slot->probe->client, &slot->probe->request, attempt_deadline(attempt),
                           on_answer, slot);
}

static void http_cancel(void *data, void *memory)
{
    (void)data;
    struct HttpSlot *slot = memory;
    call_cancel(slot->call);
    slot->call = NULL;
}

static void *http_probe_open(const struct ProbeInput *input, struct Loop *loop, struct Err *err)
{
    struct HttpProbe *probe = mem_zero(1, sizeof(*probe));
    const struct HttpConfig *config = input->config;
    probe->config = config;
    const struct TextPair *headers = config->headers.items;
    probe->headers = mem_zero(config->headers.count, sizeof(*headers));
    for (size_t n = 0; n < config->headers.count; n++) {
        probe->headers[n] = headers[n];
        probe->headers[n].value = environment_secret(headers[n].value);
    }
    probe->request = (struct HttpRequest){.url = config->url,
                                          .method = config->method,
                                          .body = config->body,
                                          .headers = probe->headers,
                                          .header_count = config->headers.count,
                                          .keep = input->keep,
                                          .wants_certificate = config->ok->certificate_days > 0};
    if (place_url(input, &probe->request, &probe->place, &probe->through, err))
        probe->client = http_open(loop, err);
    if (probe->client != NULL)
        return probe;
    http_probe_close(probe);
    return NULL;
}

static void http_probe_close(void *data)
{
    struct HttpProbe *probe = data;
    http_close(probe->client);
    mem_free(probe->headers);
    mem_free(probe);
}
