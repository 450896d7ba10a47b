/* silence.c - one silence in the user's Alertmanager, for the length of a drill. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "silence.h"

#include <stdio.h>
#include <string.h>

#include "../base/arena.h"
#include "../base/json.h"
#include "../base/text.h"
#include "../clients/http.h"
#include "../clients/json_find.h"

#define ANSWER_NS (5 * NS_PER_S)

enum { URL_MOST = 4096, BODY_MOST = 64 << 10 };

struct Silence {
    struct Loop *loop;
    struct HttpClient *http;
    struct Call *call;
    struct Timer *soon;
    const struct SilenceFields *spec;
    struct TextPair *headers; /* with the values of secrets */
    bool asked, perhaps;      /* perhaps: no answer, and it may have been made all the same */
    enum Known made;
    char said[200]; /* its id, or why not */
    void (*done)(void *data, const char *why);
    void *data;
};

static void on_soon(void *data, int events);

struct Silence *silence_open(struct Loop *loop, struct Err *err)
{
    struct HttpClient *http = http_open(loop, err);
    if (http == NULL)
        return NULL;
    struct Silence *silence = mem_zero(1, sizeof *silence);
    *silence = (struct Silence){.loop = loop, .http = http};
    silence->soon = loop_timer(loop, on_soon, silence);
    return silence;
}

void silence_close(struct Silence *silence)
{
    if (silence == NULL)
        return;
    http_close(silence->http);
    loop_timer_free(silence->soon);
    mem_free(silence->headers);
    mem_free(silence);
}

static void put_matchers(const struct SilenceFields *spec, struct Json *json)
{
    const char *const *texts = spec->matchers.items;
    json_key(json, "matchers");
    json_open_array(json);
    for (size_t at = 0; at < spec->matchers.count; at++) {
        struct Matcher matcher;
        struct Buf name = BUF(400);
        if (!matcher_read(texts[at], &matcher))
            bug("'%s' was taken for a matcher", texts[at]);
        buf_add(&name, texts[at], matcher.name_size);
        json_open_object(json);
        json_put_text(json, "name", name.text);
        json_put_text(json, "value", matcher.value);
        json_put_bool(json, "isRegex", matcher.is_regex);
        json_put_bool(json, "isEqual", matcher.is_equal);
        json_end(json);
        buf_free(&name);
    }
    json_end(json);
}

static void put_silence(const struct SilenceAsk *ask, struct Buf *out)
{
    struct Wall now = wall_now();
    char from[32], until[32], text[400];
    struct Json json = json_begin(out, false);
    wall_utc(now, from);
    wall_utc((struct Wall){now.ns + ask->lasts_ns}, until);
    snprintf(text, sizeof text, "drill %s, run %s; faildrill halt %s ends it", ask->scenario,
             ask->run, ask->run);
    json_open_object(&json);
    put_matchers(ask->spec, &json);
    json_put_text(&json, "startsAt", from);
    json_put_text(&json, "endsAt", until);
    json_put_text(&json, "createdBy", ask->who);
    json_put_text(&json, "comment", text);
    json_end(&json);
}

static void send(struct Silence *silence, const char *method, const char *path, const char *body,
                 CallDone *done)
{
    struct Buf url = BUF(URL_MOST);
    size_t size = strlen(silence->spec->alertmanager);
    while (size > 0 && silence->spec->alertmanager[size - 1] == '/')
        size--;
    buf_add(&url, silence->spec->alertmanager, size);
    buf_put(&url, path);
    struct HttpRequest request = {.url = url.text,
                                  .method = method,
                                  .body = body,
                                  .headers = silence->headers,
                                  .header_count = silence->spec->headers.count + 1};
    silence->call =
        http_call(silence->http, &request, mono_add(mono_now(), ANSWER_NS), done, silence);
    buf_free(&url);
}

static void say_failed(const struct Answer *answer, char *out, size_t room)
{
    if (answer->end == CALL_ANSWERED)
        snprintf(out, room, "the Alertmanager answers %d", answer->code);
    else
        snprintf(out, room, "the Alertmanager: %s", call_end_name(answer->end));
}

static void on_made(void *data, const struct Answer *answer)
{
    struct Silence *silence = data;
    struct Buf id = BUF(100);
    silence->call = NULL;
    struct JsonText *json = answer->end == CALL_ANSWERED && answer->code == 200
                                ? json_text_read(answer->bytes, answer->size)
                                : NULL;
    bool found = json != NULL && json_text_find(json, "silenceID", &id) && id.size > 0 &&
                 strspn(id.text, "0123456789abcdefABCDEF-") == id.size;
    silence->made = found ? KNOWN_YES : KNOWN_NO;
    silence->perhaps = answer->end != CALL_ANSWERED;
    if (found)
        snprintf(silence->said, sizeof silence->said, "%s", id.text);
    else
        say_failed(answer, silence->said, sizeof silence->said);
    json_text_free(json);
    buf_free(&id);
}

static void ask_for_it(struct Silence *silence, const struct SilenceAsk *ask)
{
    struct Buf body = BUF(BODY_MOST);
    const struct TextPair *headers = ask->spec->headers.items;
    size_t count = ask->spec->headers.count;
    silence->asked = true;
    silence->spec = ask->spec;
    silence->headers = mem_zero(count + 1, sizeof *headers);
    for (size_t at = 0; at < count; at++) {
        silence->headers[at] = headers[at];
        silence->headers[at].value = environment_secret(headers[at].value);
    }
    silence->headers[count] =
        (struct TextPair){.name = "Content-Type", .value = "application/json"};
    put_silence(ask, &body);
    send(silence, "POST", "/api/v2/silences", body.text, on_made);
    buf_free(&body);
}

enum Known silence_made(struct Silence *silence, const struct SilenceAsk *ask, const char **said)
{
    if (!silence->asked)
        ask_for_it(silence, ask);
    *said = silence->said;
    return silence->made;
}

/* ---- Its end ---- */

static void on_ended(void *data, const struct Answer *answer)
{
    struct Silence *silence = data;
    silence->call = NULL;
    bool good = answer->end == CALL_ANSWERED && answer->code == 200;
    if (!good)
        say_failed(answer, silence->said, sizeof silence->said);
    silence->done(silence->data, good ? NULL : silence->said);
}

static void on_soon(void *data, int events)
{
    (void)events;
    struct Silence *silence = data;
    bool unknown = silence->asked && (silence->made == KNOWN_UNKNOWN || silence->perhaps);
    silence->done(silence->data, unknown ? "whether it was made is not known" : NULL);
}

void silence_end(struct Silence *silence, void (*done)(void *data, const char *why), void *data)
{
    char path[200];
    silence->done = done;
    silence->data = data;
    if (silence->made != KNOWN_YES) {
        if (silence->call != NULL)
            call_cancel(silence->call);
        silence->call = NULL;
        loop_timer_at(silence->soon, mono_now());
        return;
    }
    snprintf(path, sizeof path, "/api/v2/silence/%.150s", silence->said);
    send(silence, "DELETE", path, NULL, on_ended);
}
