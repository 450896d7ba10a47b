/* http.c - a request to any API; as a fault a host with a guard sends it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <strings.h>

#include "../base/duration.h"
#include "../base/text.h"
#include "../clients/http.h"
#include "aws_sigv4.h"
#include "files.h"
#include "kinds.h"

struct RequestOk {
    struct List status; /* of const char * */
    const char *body;
};
struct RequestConfig {
    const char *url, *method, *body;
    const struct RequestOk *ok;
};
struct HttpConfig {
    struct RequestConfig request;
    const struct Node *target;
    struct List headers; /* of struct TextPair */
    const char *headers_from;
    const struct AwsSigv4 *signing;
    bool fault;
    const struct RequestConfig *undo, *proof;
};

static void http_check(const void *record, const struct Node *node, struct Decode *decode);
static void request_check(const void *record, const struct Node *node, struct Decode *decode);
static const struct PlainRequest *http_plain(const void *config, struct Arena *arena);
static bool http_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                      struct Procedure *out, struct Err *err);

static const struct Field ok_fields[] = {
    {.name = "status",
     .type = FIELD_LIST,
     .offset = offsetof(struct RequestOk, status),
     .example = "[200, 204]",
     .doc = "The statuses that are good; default: 200 to 299."},
    {.name = "body",
     .type = FIELD_TEXT,
     .offset = offsetof(struct RequestOk, body),
     .example = "disabled",
     .doc = "A text that the body must contain."},
    {.name = NULL}};
static const struct Record ok_record = {.name = "answer",
                                        .doc = "What a good answer is.",
                                        .size = sizeof(struct RequestOk),
                                        .fields = ok_fields};

#define REQUEST_FIELD_OK                                                                           \
    {                                                                                              \
        .name = "ok", .type = FIELD_RECORD, .offset = offsetof(struct RequestConfig, ok),          \
        .flags = FIELD_ALWAYS, .of = &ok_record, .example = "{status: [200, 404]}",                \
        .doc = "What a good answer is."                                                            \
    }
#define REQUEST_FIELD_BODY                                                                         \
    {                                                                                              \
        .name = "body", .type = FIELD_TEXT, .offset = offsetof(struct RequestConfig, body),        \
        .example = "'{\"enabled\": false}'", .doc = "The body that is sent."                       \
    }

static const struct Field undo_fields[] = {
    {.name = "http",
     .type = FIELD_TEXT,
     .offset = offsetof(struct RequestConfig, url),
     .flags = FIELD_REQUIRED,
     .example = "http://127.0.0.1:8474/proxies/redis/toxics/slow",
     .doc = "The URL that is asked."},
    {.name = "method",
     .type = FIELD_TEXT,
     .offset = offsetof(struct RequestConfig, method),
     .flags = FIELD_REQUIRED,
     .example = "DELETE",
     .doc = "The method of the request."},
    REQUEST_FIELD_BODY,
    REQUEST_FIELD_OK,
    {.name = NULL}};
static const struct Record undo_record = {
    .name = "request_undo",
    .doc = "The request that puts it back; must be right to send twice.",
    .size = sizeof(struct RequestConfig),
    .fields = undo_fields,
    .check = request_check};

static const struct Field proof_fields[] = {
    {.name = "http",
     .type = FIELD_TEXT,
     .offset = offsetof(struct RequestConfig, url),
     .flags = FIELD_REQUIRED,
     .example = "http://127.0.0.1:8474/proxies/redis/toxics/slow",
     .doc = "The URL that is asked."},
    {.name = "method",
     .type = FIELD_TEXT,
     .offset = offsetof(struct RequestConfig, method),
     .fallback = "GET",
     .example = "GET",
     .doc = "The method of the request."},
    REQUEST_FIELD_BODY,
    REQUEST_FIELD_OK,
    {.name = NULL}};
static const struct Record proof_record = {
    .name = "request_proof",
    .doc = "The request whose answer is good while the fault is there; any other answer says that "
           "it is gone, but for 3xx, 401, 403, 407, 408, 421, 429 and 5xx, which say nothing.",
    .size = sizeof(struct RequestConfig),
    .fields = proof_fields,
    .check = request_check};

#define IN_REQUEST(member) offsetof(struct HttpConfig, request.member)

static const struct Field http_fields[] = {
    {.name = "url",
     .type = FIELD_TEXT,
     .offset = IN_REQUEST(url),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,
     .example = "http://127.0.0.1:8474/reset",
     .doc = "The URL that is asked; redirects are not followed."},
    {.name = "method",
     .type = FIELD_TEXT,
     .offset = IN_REQUEST(method),
     .fallback = "GET",
     .example = "POST",
     .doc = "The method of the request."},
    {.name = "body",
     .type = FIELD_TEXT,
     .offset = IN_REQUEST(body),
     .example = "'{\"enabled\": false}'",
     .doc = "The body that is sent."},
    {.name = "headers",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct HttpConfig, headers),
     .example = "{X-Drill: faildrill}",
     .doc = "Headers that are sent; in plain work a value may be a secret as a whole."},
    {.name = "aws_sigv4",
     .type = FIELD_RECORD,
     .offset = offsetof(struct HttpConfig, signing),
     .of = &aws_sigv4_record,
     .example = "{region: eu-west-1, service: rds, access_key_id: \"${secret.aws_key_id}\", "
                "secret_access_key: \"${secret.aws_key}\"}",
     .doc = "Of plain work: signs it as AWS wants it."},
    {.name = "ok",
     .type = FIELD_RECORD,
     .offset = IN_REQUEST(ok),
     .flags = FIELD_ALWAYS,
     .of = &ok_record,
     .example = "{status: [200, 204]}",
     .doc = "What a good answer is."},
    {.name = "fault",
     .type = FIELD_BOOL,
     .offset = offsetof(struct HttpConfig, fault),
     .fallback = "false",
     .example = "true",
     .doc = "It breaks something: then a host sends it, whose guard undoes it without us."},
    {.name = "target",
     .type = FIELD_ANY,
     .offset = offsetof(struct HttpConfig, target),
     .example = "{role: proxy}",
     .doc = "Of a fault: the host that sends the requests, by curl or wget, and has the guard."},
    {.name = "headers_from",
     .type = FIELD_TEXT,
     .offset = offsetof(struct HttpConfig, headers_from),
     .example = "/etc/shop/drill.headers",
     .doc = "Of a fault: a file of that host with more headers, a line each, like a token; sent by "
            "curl."},
    {.name = "undo",
     .type = FIELD_RECORD,
     .offset = offsetof(struct HttpConfig, undo),
     .of = &undo_record,
     .example = "{http: \"http://127.0.0.1:8474/reset\", method: POST}",
     .doc = "Of a fault: the request that puts it back; must be right to send twice."},
    {.name = "proof",
     .type = FIELD_RECORD,
     .offset = offsetof(struct HttpConfig, proof),
     .of = &proof_record,
     .example = "{http: \"http://127.0.0.1:8474/proxies/redis\", ok: {body: '\"enabled\":false'}}",
     .doc = "Of a fault: the request whose answer is good while it is there."},
    {.name = NULL}};

const struct FaultKind http_fault = {
    .name = "http",
    .summary = "a request to any API; with `fault: true` a host sends it, undoes and proves it",
    .reversal = REVERSAL_UNDO,
    .config = {.name = "http_step",
               .doc = "A request. Plain, we send it, once. As a fault a host sends it, so that its "
                      "guard can undo it when we are gone.",
               .size = sizeof(struct HttpConfig),
               .fields = http_fields,
               .check = http_check},
    .plain = http_plain,
    .plan = http_plan,
};

/* ---- What may stand in a file. ---- */

static struct Where place_of(const struct Node *node, const char *key)
{
    const struct Node *item = node_get(node, key);
    return item != NULL ? item->where : node->where;
}

static const char *method_fault(const char *method)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    for (size_t i = 0; i < COUNT_OF(methods); i++)
        if (text_equal(method, methods[i]))
            return NULL;
    return "write GET, POST, PUT, PATCH or DELETE";
}

static void request_check(const void *record, const struct Node *node, struct Decode *decode)
{
    const struct RequestConfig *request = record;
    const char *why =
        reference_present(request->url) ? NULL : http_url_fault(request->url, NULL, 0, NULL);
    if (why != NULL)
        problems_say(decode->problems, ERR_VALUE, place_of(node, "http"),
                     "write it like \"http://10.0.0.1:8080/admin\"",
                     "'%s' is no URL that can be asked: %s", request->url, why);
    why = reference_present(request->method) ? NULL : method_fault(request->method);
    if (why != NULL)
        problems_say(decode->problems, ERR_VALUE, place_of(node, "method"), why,
                     "'%s' is no method", request->method);
    files_check_text(node, "body", request->body, decode);
    const char *const *status = request->ok->status.items;
    for (size_t n = 0; n < request->ok->status.count; n++) {
        int64_t number = 0;
        if (!reference_present(status[n]) &&
            (!int_parse(status[n], &number, NULL) || number < 100 || number > 599))
            problems_say(decode->problems, ERR_VALUE, place_of(node_get(node, "ok"), "status"),
                         "write a number from 100 to 599, or a list of them",
                         "'%s' is no HTTP status", status[n]);
    }
}

static void check_headers(const struct HttpConfig *config, struct Decode *decode)
{
    const struct TextPair *pairs = config->headers.items;
    for (size_t n = 0; n < config->headers.count; n++)
        if (!text_is_name(pairs[n].name, true) || strpbrk(pairs[n].value, "\r\n") != NULL)
            problems_say(decode->problems, ERR_VALUE, pairs[n].where, NULL,
                         "'%s' is no header of one line", pairs[n].name);
}

static void check_fault(const struct HttpConfig *config, const struct Node *node,
                        struct Decode *decode)
{
    const char *missing = config->undo == NULL ? "undo" : config->proof == NULL ? "proof" : NULL;
    if (config->target == NULL)
        problems_say(decode->problems, ERR_NO_UNDO, place_of(node, "fault"),
                     "say target: a host that reaches the API by curl; its guard undoes the fault "
                     "when this runner is gone",
                     "an `http` with fault: true needs `target`");
    else if (missing != NULL)
        problems_say(decode->problems, ERR_NO_UNDO, place_of(node, "fault"),
                     "undo: {http: URL, method: M} puts it back; proof: {http: URL, ok: {...}} is "
                     "good only while it is broken",
                     "an `http` with fault: true needs `%s`", missing);
    if (config->signing != NULL)
        problems_say(decode->problems, ERR_RULE, place_of(node, "aws_sigv4"),
                     "as plain work this runner sends it, and nothing undoes it",
                     "a fault's request is not signed: a host sends it, which has no key");
    if (config->headers_from != NULL)
        files_check_source(node, "headers_from", config->headers_from, decode);
}

static void http_check(const void *record, const struct Node *node, struct Decode *decode)
{
    const struct HttpConfig *config = record;
    static const char *const of_faults[] = {"target", "headers_from", "undo", "proof"};
    request_check(&config->request, node, decode);
    check_headers(config, decode);
    if (config->fault)
        check_fault(config, node, decode);
    else if (config->signing != NULL)
        aws_sigv4_check_request(node, config->request.url, &config->headers, decode);
    for (size_t i = 0; i < COUNT_OF(of_faults) && !config->fault; i++)
        if (node_get(node, of_faults[i]) != NULL)
            problems_say(decode->problems, ERR_RULE, place_of(node, of_faults[i]),
                         "if it breaks something, say fault: true",
                         "plain work has no `%s`: this runner sends the request", of_faults[i]);
}

/* ---- What comes of it. ---- */

static const struct PlainRequest *http_plain(const void *data, struct Arena *arena)
{
    const struct HttpConfig *config = data;
    struct PlainRequest *plain = arena_zero(arena, 1, sizeof *plain);
    if (config->fault)
        return NULL;
    *plain = (struct PlainRequest){.url = config->request.url,
                                   .method = config->request.method,
                                   .body = config->request.body,
                                   .headers = config->headers,
                                   .status = config->request.ok->status,
                                   .contains = config->request.ok->body,
                                   .signing = config->signing};
    return plain;
}

static bool has_type(const struct HttpConfig *config)
{
    const struct TextPair *pairs = config->headers.items;
    for (size_t n = 0; n < config->headers.count; n++)
        if (strcasecmp(pairs[n].name, "content-type") == 0)
            return true;
    return false;
}

static const char *statuses_of(const struct RequestOk *ok, struct Arena *arena)
{
    const char *const *texts = ok->status.items, *all = "";
    for (size_t n = 0; n < ok->status.count; n++)
        all = arena_printf(arena, "%s%s%s", all, n > 0 ? " " : "", texts[n]);
    return all;
}

/* `sh service request VERB METHOD URL BODY FROM STATUSES CONTAINS [HEADER...]`. */
static void add_request(const struct HttpConfig *config, const struct RequestConfig *request,
                        const char *verb, const char *what, struct Commands *commands,
                        struct Arena *arena)
{
    const struct TextPair *pairs = config->headers.items;
    const char *body = request->body != NULL ? request->body : "";
    const char **argv = arena_zero(arena, 12 + config->headers.count, sizeof *argv);
    const char *const base[] = {"sh",
                                "service",
                                "request",
                                verb,
                                request->method,
                                request->url,
                                body,
                                config->headers_from != NULL ? config->headers_from : "",
                                statuses_of(request->ok, arena),
                                request->ok->body != NULL ? request->ok->body : ""};
    size_t count = COUNT_OF(base);
    memcpy(argv, base, sizeof base);
    for (size_t n = 0; n < config->headers.count; n++)
        argv[count++] = arena_printf(arena, "%s: %s", pairs[n].name, pairs[n].value);
    if (strchr("{[", body[0]) != NULL && body[0] != '\0' && !has_type(config))
        argv[count++] = "Content-Type: application/json";
    commands_add_argv(commands, arena, what, 15, argv);
}

static bool request_is_good(const struct RequestConfig *request, const struct PlanInput *input,
                            struct Err *err)
{
    const char *why = http_url_fault(request->url, NULL, 0, NULL);
    if (why != NULL)
        return err_set(err, ERR_VALUE, input->target->where, "'%s' is no URL that can be asked: %s",
                       request->url, why);
    if (method_fault(request->method) != NULL)
        return err_set(err, ERR_VALUE, input->target->where, "'%s' is no method", request->method);
    return true;
}

static bool http_plan(const void *data, const struct PlanInput *input, struct Arena *arena,
                      struct Procedure *out, struct Err *err)
{
    const struct HttpConfig *config = data;
    struct Procedure procedure = procedure_of(input, CLASS_STICKY);
    if (config->undo == NULL || config->proof == NULL)
        return err_set(err, ERR_NO_UNDO, input->target->where,
                       "`http` with fault: true has no `%s`",
                       config->undo == NULL ? "undo" : "proof");
    if (!request_is_good(&config->request, input, err) ||
        !request_is_good(config->undo, input, err) || !request_is_good(config->proof, input, err))
        return false;
    const struct RequestConfig *request = &config->request, *undo = config->undo;
    add_request(config, config->proof, "save", "the proof can be asked, and says no",
                &procedure.save, arena);
    add_request(config, request, "apply",
                arena_printf(arena, "%s %s", request->method, request->url), &procedure.apply,
                arena);
    add_request(config, config->proof, "proof", "its proof", &procedure.in_place, arena);
    add_request(config, undo, "undo", arena_printf(arena, "%s %s", undo->method, undo->url),
                &procedure.undo, arena);
    add_request(config, config->proof, "clear", "its proof says no", &procedure.all_clear, arena);
    *out = procedure;
    return true;
}
