/* etcd_ledger.c - numbered writes to etcd, a key each, and how they are read back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "../base/arena.h"
#include "../base/json.h"
#include "../base/text.h"
#include "etcd.h"

/* Keys an answer: the client takes 64 KiB, and a key with what etcd says of it 300 bytes. */
enum { CHUNK = 150, KEY_MAX = 250, DIGITS = 20 };

struct Ledger {
    struct LedgerInput input;
    struct HttpClient *http;
    struct Call *call;
    bool kept; /* the last write was answered: its connection stays */
    LedgerDone *done;
    void *data;
    char host[256]; /* of what is being read */
    uint16_t port;
    char last[KEY_MAX + 1]; /* the key that was read last; "" = none yet */
    uint32_t writer, writers;
    struct Mono deadline;
    struct LedgerRead to;
    struct Timer *timer; /* for ends that need no answer */
};

static void *ledger_open(const struct LedgerInput *input, struct Err *err);
static bool ledger_connected(const void *ledger);
static void ledger_write(void *ledger, const struct LedgerWrite *write);
static void ledger_read(void *ledger, const struct Endpoint *from, uint32_t writers,
                        struct Mono deadline, const struct LedgerRead *to);
static void ledger_tidy(void *ledger, const struct Endpoint *at, struct Mono deadline,
                        const struct LedgerRead *to);
static void ledger_cancel(void *ledger);
static void ledger_close(void *ledger);

const struct LedgerKind etcd_ledger = {
    .relays = true,
    .open = ledger_open,
    .connected = ledger_connected,
    .write = ledger_write,
    .read = ledger_read,
    .tidy = ledger_tidy,
    .cancel = ledger_cancel,
    .close = ledger_close,
};

static void on_timer(void *data, int events)
{
    (void)events;
    struct Ledger *ledger = data;
    ledger->to.done(ledger->to.data, KNOWN_YES); /* nobody wrote anything */
}

static void *ledger_open(const struct LedgerInput *input, struct Err *err)
{
    struct Ledger *ledger = mem_zero(1, sizeof(*ledger));
    ledger->input = *input;
    ledger->http = http_open(input->loop, err);
    if (ledger->http == NULL) {
        mem_free(ledger);
        return NULL;
    }
    ledger->timer = loop_timer(input->loop, on_timer, ledger);
    return ledger;
}

static bool ledger_connected(const void *data)
{
    return ((const struct Ledger *)data)->kept;
}

static void ledger_cancel(void *data)
{
    struct Ledger *ledger = data;
    loop_timer_off(ledger->timer);
    if (ledger->call != NULL)
        call_cancel(ledger->call);
    ledger->call = NULL;
    ledger->kept = false;
}

static void ledger_close(void *data)
{
    struct Ledger *ledger = data;
    ledger_cancel(ledger);
    http_close(ledger->http);
    loop_timer_free(ledger->timer);
    mem_free(ledger);
}

/* ---- keys: PREFIX RUN/PROBE/WRITER/NUMBER ---- */

static size_t name_key(const struct Ledger *ledger, uint32_t writer, char out[KEY_MAX])
{
    const struct EtcdConfig *config = ledger->input.config;
    return (size_t)snprintf(out, KEY_MAX, "%.100s%.40s/%" PRIu32 "/%" PRIu32 "/",
                            config->key_prefix, ledger->input.run, ledger->input.probe, writer);
}

static void put_base64(struct Json *json, const char *key, const char *bytes, size_t size)
{
    char text[KEY_MAX * 4 / 3 + 8];
    EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)bytes, (int)size);
    json_put_text(json, key, text);
}

static void send_body(struct Ledger *ledger, const char *path, const struct Buf *body, bool keep,
                      CallDone *done)
{
    ledger->call = etcd_call(&(struct EtcdRequest){.config = ledger->input.config,
                                                   .http = ledger->http,
                                                   .address = ledger->host,
                                                   .path = path,
                                                   .body = body->text,
                                                   .port = ledger->port,
                                                   .keep = keep,
                                                   .deadline = ledger->deadline},
                             done, ledger);
}

/* ---- writing ---- */

static struct Reply reply_of_failure(const struct Answer *answer)
{
    struct Reply reply = reply_of_end(answer);
    if (answer->end == CALL_ANSWERED) /* timed out: it may have been done all the same */
        reply.failure =
            strstr(answer->bytes, "timed out") != NULL ? FAILURE_TIMEOUT : FAILURE_UNAVAILABLE;
    return reply;
}

static void on_written(void *data, const struct Answer *answer)
{
    struct Ledger *ledger = data;
    bool good = answer->end == CALL_ANSWERED && answer->code == 200;
    struct Reply reply = {
        .outcome = OUTCOME_OK, .connected = true, .by = answer->peer, .detail = ""};
    ledger->call = NULL;
    ledger->kept = good;
    if (!good)
        reply = reply_of_failure(answer);
    ledger->done(ledger->data, &reply);
}

static void ledger_write(void *data, const struct LedgerWrite *write)
{
    struct Ledger *ledger = data;
    struct Buf body = BUF(1000);
    struct Json json = json_begin(&body, false);
    char key[KEY_MAX + 1 + DIGITS];
    size_t size = name_key(ledger, write->writer, key);
    size += (size_t)snprintf(key + size, DIGITS + 1, "%020" PRIu64, write->number);
    ledger->done = write->done;
    ledger->data = write->data;
    ledger->deadline = write->deadline;
    ledger->port = write->to->port;
    snprintf(ledger->host, sizeof(ledger->host), "%.255s", write->to->host);
    json_open_object(&json);
    put_base64(&json, "key", key, size);
    put_base64(&json, "value", "1", 1);
    json_end(&json);
    send_body(ledger, "/v3/kv/put", &body, true, on_written);
    buf_free(&body);
}

/* ---- reading: what that host itself has, in chunks from key to key ---- */

static void read_chunk(struct Ledger *ledger);

static void end_reading(struct Ledger *ledger, enum Known complete)
{
    ledger->to.done(ledger->to.data, complete);
}

/* False where it is no key of ours. */
static bool take_key(struct Ledger *ledger, const char *text)
{
    unsigned char key[KEY_MAX * 4 / 3 + 8];
    size_t size = strlen(text), pad = 0;
    uint64_t number = 0;
    if (size == 0 || size > sizeof(key) - 1 || size % 4 != 0)
        return false;
    while (pad < 2 && text[size - 1 - pad] == '=')
        pad++;
    int got = EVP_DecodeBlock(key, (const unsigned char *)text, (int)size);
    size_t length = got < 0 ? 0 : (size_t)got - pad;
    if (length <= DIGITS || length > KEY_MAX)
        return false;
    key[length] = '\0';
    memcpy(ledger->last, key, length + 1);
    if (sscanf((const char *)key + length - DIGITS, "%20" SCNu64, &number) != 1)
        return false;
    ledger->to.found(ledger->to.data, ledger->writer, number);
    return true;
}

static void on_keys(void *data, const struct Answer *answer)
{
    struct Ledger *ledger = data;
    ledger->call = NULL;
    struct JsonText *json = answer->end == CALL_ANSWERED && answer->code == 200 && !answer->cut
                                ? json_text_read(answer->bytes, answer->size)
                                : NULL;
    bool good = json != NULL;
    int count = 0;
    for (bool more = good; more && count < CHUNK; count += more ? 1 : 0) {
        char path[32], text[KEY_MAX * 2];
        snprintf(path, sizeof(path), "kvs.%d.key", count);
        etcd_text(json, path, text, sizeof(text));
        more = text[0] != '\0';
        good = good && (!more || take_key(ledger, text));
    }
    json_text_free(json);
    if (good && count < CHUNK) {
        ledger->writer++;
        ledger->last[0] = '\0';
    }
    if (good && ledger->writer <= ledger->writers)
        read_chunk(ledger);
    else
        end_reading(ledger, good ? KNOWN_YES : KNOWN_NO);
}

static void read_chunk(struct Ledger *ledger)
{
    struct Buf body = BUF(2000);
    struct Json json = json_begin(&body, false);
    char first[KEY_MAX], end[KEY_MAX];
    size_t size = name_key(ledger, ledger->writer, first);
    snprintf(end, sizeof(end), "%s", first);
    end[size - 1] = '/' + 1; /* behind all that begin so */
    json_open_object(&json);
    if (ledger->last[0] != '\0') /* with its NUL: the next one that there can be */
        put_base64(&json, "key", ledger->last, strlen(ledger->last) + 1);
    else
        put_base64(&json, "key", first, size);
    put_base64(&json, "range_end", end, size);
    json_put_int(&json, "limit", CHUNK);
    json_put_bool(&json, "keys_only", true);
    json_put_bool(&json, "serializable", true);
    json_end(&json);
    send_body(ledger, "/v3/kv/range", &body, false, on_keys);
    buf_free(&body);
}

static void begin_reading(struct Ledger *ledger, const struct Endpoint *from, struct Mono deadline,
                          const struct LedgerRead *to)
{
    ledger->to = *to;
    ledger->deadline = deadline;
    ledger->writer = 1;
    ledger->last[0] = '\0';
    ledger->port = from->port;
    snprintf(ledger->host, sizeof(ledger->host), "%.255s", from->host);
}

static void ledger_read(void *data, const struct Endpoint *from, uint32_t writers,
                        struct Mono deadline, const struct LedgerRead *to)
{
    struct Ledger *ledger = data;
    ledger->writers = writers;
    begin_reading(ledger, from, deadline, to);
    if (writers > 0)
        read_chunk(ledger);
    else
        loop_timer_at(ledger->timer, mono_now());
}

static void on_deleted(void *data, const struct Answer *answer)
{
    struct Ledger *ledger = data;
    ledger->call = NULL;
    bool good = answer->end == CALL_ANSWERED && answer->code == 200;
    end_reading(ledger, good ? KNOWN_YES : KNOWN_NO);
}

/* All of this run and probe, whoever wrote it. */
static void ledger_tidy(void *data, const struct Endpoint *at, struct Mono deadline,
                        const struct LedgerRead *to)
{
    struct Ledger *ledger = data;
    struct Buf body = BUF(2000);
    struct Json json = json_begin(&body, false);
    char first[KEY_MAX], end[KEY_MAX];
    size_t size = name_key(ledger, 0, first) - strlen("0/");
    begin_reading(ledger, at, deadline, to);
    snprintf(end, sizeof(end), "%s", first);
    end[size - 1] = '/' + 1;
    json_open_object(&json);
    put_base64(&json, "key", first, size);
    put_base64(&json, "range_end", end, size);
    json_end(&json);
    send_body(ledger, "/v3/kv/deleterange", &body, false, on_deleted);
    buf_free(&body);
}
