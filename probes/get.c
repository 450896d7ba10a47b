/* get.c - asks an HTTP API one question by GET, again and again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "get.h"

#include <string.h>

#include "../runner/base/arena.h"
#include "../runner/base/text.h"
#include "../runner/model/environment.h"
#include "../runner/schema/decode.h"
#include "place.h"
#include "reply.h"

struct Get {
    const void *config;
    GetJudge *judge;
    struct HttpClient *client;
    struct HttpRequest request;
    char *url;
    struct TextPair *headers; /* with the values of secrets */
    struct Place place;
    struct Endpoint through;
};

static void on_answer(void *data, const struct Answer *answer)
{
    struct GetSlot *slot = data;
    struct Buf detail = BUF(DETAIL_MOST);
    struct Reply reply = {.code = answer->code, .connected = true, .by = answer->peer};
    if (answer->end != CALL_ANSWERED)
        reply = reply_of_end(answer);
    slot->call = NULL;
    slot->get->judge(slot->get->config, answer, &reply, &detail);
    if (detail.size > 0 || answer->end == CALL_ANSWERED)
        reply.detail = detail.text;
    attempt_done(slot->attempt, &reply);
    buf_free(&detail);
}

void get_start(void *probe, void *memory, struct Attempt *attempt)
{
    struct GetSlot *slot = memory;
    slot->get = probe;
    slot->attempt = attempt;
    slot->call = http_call(slot->get->client, &slot->get->request, attempt_deadline(attempt),
                           on_answer, slot);
}

void get_cancel(void *probe, void *memory)
{
    (void)probe;
    struct GetSlot *slot = memory;
    call_cancel(slot->call);
    slot->call = NULL;
}

void *get_open(const struct GetInput *input, struct Loop *loop, struct Err *err)
{
    struct Get *get = mem_zero(1, sizeof(*get));
    const struct TextPair *headers = input->headers->items;
    size_t count = input->headers->count;
    get->config = input->probe->config;
    get->judge = input->judge;
    get->url = mem_text(input->url->text);
    get->headers = mem_zero(count + 1, sizeof(*headers));
    for (size_t n = 0; n < count; n++) {
        get->headers[n] = headers[n];
        get->headers[n].value = environment_secret(headers[n].value);
    }
    get->request = (struct HttpRequest){.url = get->url,
                                        .headers = get->headers,
                                        .header_count = count,
                                        .keep = input->probe->keep};
    if (input->url->cut)
        err_set(err, ERR_LIMIT, NOWHERE, "%s longer than a URL may be", input->long_part);
    else if (place_url(input->probe, &get->request, &get->place, &get->through, err))
        get->client = http_open(loop, err);
    if (get->client != NULL)
        return get;
    get_close(get);
    return NULL;
}

void get_close(void *probe)
{
    struct Get *get = probe;
    http_close(get->client);
    mem_free(get->headers);
    mem_free(get->url);
    mem_free(get);
}

const char *get_api(const char *given, const char *name, const struct Node *node,
                    struct Decode *decode)
{
    const char *url = given;
    /* Without an environment it stays as it is, in the config. */
    const char *reference = arena_printf(decode->arena, "${endpoint.%s}", name);
    if (url == NULL && !reference_fill(decode, reference, node->where, &url)) {
        err_hint(problems_last(decode->problems),
                 "say in the environment where it is: endpoints: {%s: \"http://HOST:PORT\"}", name);
        return NULL;
    }
    const char *why = reference_present(url) ? NULL : http_url_fault(url, NULL, 0, NULL);
    if (why == NULL)
        return url;
    problems_say(decode->problems, ERR_VALUE, node->where, "write it like \"http://10.0.0.1:9090\"",
                 "'%s' is no URL that can be asked: %s", url, why);
    return NULL;
}

void get_quote(const char *text, struct Buf *out)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    for (; *text != '\0'; text++)
        if (strchr(plain, *text) != NULL)
            buf_char(out, *text);
        else
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)*text);
}

void get_url(const char *base, const char *path, const char *value, struct Buf *out)
{
    size_t size = strlen(base);
    while (size > 0 && base[size - 1] == '/')
        size--;
    buf_add(out, base, size);
    buf_put(out, path);
    get_quote(value, out);
}
