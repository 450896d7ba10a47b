/* alert.c - asks the user's Alertmanager whether an alert fires. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "../runner/base/text.h"
#include "../runner/clients/json_find.h"
#include "../runner/schema/decode.h"
#include "get.h"
#include "kinds.h"
#include "reply.h"

struct AlertConfig {
    const char *alert, *at;
    struct List labels, headers; /* of struct TextPair */
};

static const struct Field alert_fields[] = {
    {.name = "alert",
     .type = FIELD_TEXT,
     .offset = offsetof(struct AlertConfig, alert),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,
     .example = "PostgresPrimaryLost",
     .doc = "The alert's name; one that is silenced or inhibited fires all the same."},
    {.name = "labels",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct AlertConfig, labels),
     .example = "{env: staging}",
     .doc = "Labels that it must have, where others may fire under the same name."},
    {.name = "at",
     .type = FIELD_TEXT,
     .offset = offsetof(struct AlertConfig, at),
     .example = "\"${endpoint.alertmanager}\"",
     .doc = "The URL of the Alertmanager that is asked; default: the endpoint `alertmanager`."},
    {.name = "headers",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct AlertConfig, headers),
     .example = "{Authorization: \"${secret.alertmanager}\"}",
     .doc = "Headers that are sent; a value may be a secret as a whole."},
    {.name = NULL}};

static void alert_check(const void *record, const struct Node *node, struct Decode *decode);
static void *alert_open(const struct ProbeInput *input, struct Loop *loop, struct Err *err);
static void alert_say(const void *config, struct Buf *out);

const struct ProbeKind alert_probe = {
    .name = "alert",
    .summary = "asks an Alertmanager whether an alert fires",
    .config = {.name = "alert",
               .doc = "Asks an Alertmanager: good is silence, and `detected_within` that it fires.",
               .size = sizeof(struct AlertConfig),
               .fields = alert_fields,
               .check = alert_check},
    .is_alert = true,
    .slot_size = sizeof(struct GetSlot),
    .open = alert_open,
    .start = get_start,
    .cancel = get_cancel,
    .close = get_close,
    .say = alert_say,
};

static void alert_check(const void *record, const struct Node *node, struct Decode *decode)
{
    struct AlertConfig *config = (struct AlertConfig *)record;
    config->at = get_api(config->at, "alertmanager", node, decode);
}

static void alert_say(const void *data, struct Buf *out)
{
    const struct AlertConfig *config = data;
    buf_printf(out, "whether %s fires, of %s", config->alert, config->at);
}

/* Who cannot be asked says neither that it fires nor that it does not. */
static void judge(const void *data, const struct Answer *answer, struct Reply *reply,
                  struct Buf *detail)
{
    const struct AlertConfig *config = data;
    reply->outcome = OUTCOME_BROKEN;
    reply->failure = FAILURE_NONE;
    if (answer->end != CALL_ANSWERED)
        return;
    struct JsonText *json = json_text_read(answer->bytes, answer->size);
    struct Buf found = BUF(400);
    /* Too many to be read whole are some. */
    bool many = answer->cut && text_starts(answer->bytes, "[{");
    bool fires = many || (json != NULL && json_text_find(json, "0.fingerprint", &found));
    if (answer->code == 200 && fires) {
        reply->outcome = OUTCOME_FAILED;
        reply->failure = FAILURE_CONTENT;
        buf_printf(detail, "%s fires", config->alert);
        buf_clear(&found);
        if (json != NULL && json_text_find(json, "0.status.silencedBy.0", &found))
            buf_printf(detail, ", silenced by %s", found.text);
    } else if (answer->code == 200 && json != NULL && answer->bytes[0] == '[') {
        reply->outcome = OUTCOME_OK;
    } else {
        buf_printf(detail, "status %d, and no list of alerts", answer->code);
    }
    buf_free(&found);
    json_text_free(json);
}

/* filter=NAME="VALUE", as the API wants each. */
static void add_filter(const char *name, const char *value, struct Buf *url)
{
    struct Buf text = BUF(1024);
    buf_printf(&text, "%s=\"", name);
    for (; *value != '\0'; value++)
        buf_printf(&text, "%s%c", *value == '"' || *value == '\\' ? "\\" : "", *value);
    buf_char(&text, '"');
    get_quote(text.text, url);
    buf_free(&text);
}

static void *alert_open(const struct ProbeInput *input, struct Loop *loop, struct Err *err)
{
    const struct AlertConfig *config = input->config;
    const struct TextPair *labels = config->labels.items;
    struct Buf url = BUF(URL_MOST);
    get_url(config->at, "/api/v2/alerts?filter=", "", &url);
    add_filter("alertname", config->alert, &url);
    for (size_t n = 0; n < config->labels.count; n++) {
        buf_put(&url, "&filter=");
        add_filter(labels[n].name, labels[n].value, &url);
    }
    const struct GetInput get = {.probe = input,
                                 .url = &url,
                                 .long_part = "the labels are",
                                 .headers = &config->headers,
                                 .judge = judge};
    void *probe = get_open(&get, loop, err);
    buf_free(&url);
    return probe;
}
