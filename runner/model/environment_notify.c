/* environment_notify.c - who is told of a drill, and whose alerts are silent meanwhile. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "environment_notify.h"

#include <stddef.h>
#include <string.h>

#include "../base/text.h"
#include "environment.h"
#include "environment_fields.h"

#define WAY(member) .offset = offsetof(struct NotifyWayFields, member)

static const struct Choice WHENS[] = {
    {"start", NOTIFY_START, "Right before the first step."},
    {"halt", NOTIFY_HALT, "When it is halted and undoes."},
    {"end", NOTIFY_END, "When it is over, with its verdict."},
    {.name = NULL},
};
#define ROW_URL(sample, text)                                                                      \
    {                                                                                              \
        .name = "url", .type = FIELD_TEXT, WAY(url), .flags = FIELD_REQUIRED, .example = sample,   \
        .doc = text                                                                                \
    }
#define ROW_SECRET_URL(sample, text)                                                               \
    {                                                                                              \
        .name = "url", .type = FIELD_TEXT, WAY(url), .flags = FIELD_SECRET, .example = sample,     \
        .doc = text                                                                                \
    }
/* Taken out of an environment before it is read (environment_sources); a project has no secrets. */
#define ROWS_SOURCE                                                                                \
    {.name = "env",                                                                                \
     .type = FIELD_TEXT,                                                                           \
     WAY(env),                                                                                     \
     .example = "SLACK_WEBHOOK",                                                                   \
     .doc = "In the place of `url`: the variable of the process environment that holds it."},      \
        {.name = "file",                                                                           \
         .type = FIELD_TEXT,                                                                       \
         WAY(file),                                                                                \
         .example = "/run/secrets/webhook",                                                        \
         .doc = "In the place of `url`: the file that holds it; only its owner may read it."},     \
    {                                                                                              \
        .name = "cmd", .type = FIELD_LIST, WAY(command), .flags = FIELD_SCRIPT, .min = 1,          \
        .max = 50, .example = "[pass, show, shop/webhook]",                                        \
        .doc = "In the place of `url`: a command, word by word, that prints it."                   \
    }
#define ROW_WHEN                                                                                   \
    {                                                                                              \
        .name = "when", .type = FIELD_LIST, WAY(when), .max = 3, .choices = WHENS,                 \
        .example = "[halt, end]", .doc = "When; default: at start, halt and end."                  \
    }

static const struct Field SLACK_FIELDS[] = {
    ROW_SECRET_URL("\"${secret.slack}\"", "The incoming webhook's URL, which is a secret."),
    ROWS_SOURCE,
    ROW_WHEN,
    {.name = NULL},
};
static const struct Field TEAMS_FIELDS[] = {
    ROW_SECRET_URL("\"${secret.teams}\"", "The URL of the workflow, which is a secret."),
    ROWS_SOURCE,
    ROW_WHEN,
    {.name = NULL},
};
static const struct Field WEBHOOK_FIELDS[] = {
    ROW_URL("https://hooks.example.net/drills", "What is sent a JSON object by POST."),
    {.name = "sign_with",
     .type = FIELD_TEXT,
     WAY(key),
     .flags = FIELD_SECRET | FIELD_SOURCE,
     .of = &SECRET_RECORD,
     .example = "\"${secret.hook}\"",
     .doc = "The key of the HMAC-SHA256 over the body, in the header X-Faildrill-Signature."},
    {.name = "headers",
     .type = FIELD_TEXTS,
     WAY(headers),
     .example = "{Authorization: \"${secret.hook}\"}",
     .doc = "Headers that are sent; a value may be a secret as a whole."},
    ROW_WHEN,
    {.name = NULL},
};
static const struct Field GRAFANA_FIELDS[] = {
    ROW_URL("https://grafana.example.net", "The Grafana that gets a region for each fault."),
    {.name = "token",
     .type = FIELD_TEXT,
     WAY(key),
     .flags = FIELD_SECRET | FIELD_SOURCE,
     .of = &SECRET_RECORD,
     .example = "\"${secret.grafana}\"",
     .doc = "The token of a service account that may write annotations."},
    {.name = NULL},
};
/* These words are left where nobody took them out: in a project file, or beside a `url`. */
static void way_check(const void *record, const struct Node *node, struct Decode *decode)
{
    const struct NotifyWayFields *way = record;
    if (way->url == NULL) {
        problems_say(decode->problems, ERR_REQUIRED, node->where, NULL, "the key `url` is missing");
        err_at(problems_last(decode->problems),
               "like `url: \"${secret.chat}\"`, or `env: CHAT_WEBHOOK`");
        return;
    }
    if (way->env != NULL || way->file != NULL || way->command.count > 0)
        problems_say(decode->problems, ERR_RULE, node->where,
                     "in an environment `env`, `file` or `cmd` stand in the place of `url`; others "
                     "say url: \"${secret.NAME}\", and environments name the secret",
                     "this URL comes from more than one place");
}

#define WAY_RECORD(of, text, rows)                                                                 \
    {                                                                                              \
        .name = of, .doc = text, .size = sizeof(struct NotifyWayFields), .fields = rows,           \
        .check = way_check                                                                         \
    }
static const struct Record SLACK_RECORD =
    WAY_RECORD("slack", "A channel of Slack, by an incoming webhook.", SLACK_FIELDS);
static const struct Record TEAMS_RECORD =
    WAY_RECORD("teams", "A channel of Teams, by a workflow that posts cards.", TEAMS_FIELDS);
static const struct Record WEBHOOK_RECORD =
    WAY_RECORD("webhook", "Any service that takes JSON.", WEBHOOK_FIELDS);
static const struct Record GRAFANA_RECORD =
    WAY_RECORD("grafana", "Annotations, from each fault to its undo.", GRAFANA_FIELDS);

#define AT(index) .offset = offsetof(struct NotifyFields, way[index])
static const struct Field NOTIFY_FIELDS[] = {
    {.name = "slack",
     .type = FIELD_RECORD,
     AT(NOTIFY_SLACK),
     .of = &SLACK_RECORD,
     .example = "{url: \"${secret.slack}\"}",
     .doc = "Tells a channel of Slack."},
    {.name = "teams",
     .type = FIELD_RECORD,
     AT(NOTIFY_TEAMS),
     .of = &TEAMS_RECORD,
     .example = "{url: \"${secret.teams}\", when: [halt, end]}",
     .doc = "Tells a channel of Teams."},
    {.name = "webhook",
     .type = FIELD_RECORD,
     AT(NOTIFY_WEBHOOK),
     .of = &WEBHOOK_RECORD,
     .example = "{url: \"https://hooks.example.net/drills\", sign_with: \"${secret.hook}\"}",
     .doc = "Tells a service of your own."},
    {.name = "grafana",
     .type = FIELD_RECORD,
     AT(NOTIFY_GRAFANA),
     .of = &GRAFANA_RECORD,
     .example = "{url: \"https://grafana.example.net\", token: \"${secret.grafana}\"}",
     .doc = "Marks each fault in Grafana's charts."},
    {.name = "", .type = FIELD_NODE, .offset = offsetof(struct NotifyFields, node)},
    {.name = NULL},
};
const struct Record NOTIFY_RECORD = {
    .name = "notify",
    .doc = "Who is told of a drill; nobody who does not answer ever stops or delays it.",
    .size = sizeof(struct NotifyFields),
    .fields = NOTIFY_FIELDS,
};

/* A scenario has no sources of secrets. */
#define ROW_NAMED_URL(sample, text)                                                                \
    {                                                                                              \
        .name = "url", .type = FIELD_TEXT, WAY(url), .flags = FIELD_SECRET | FIELD_REQUIRED,       \
        .example = sample, .doc = text                                                             \
    }
static const struct Field MORE_SLACK_FIELDS[] = {
    ROW_NAMED_URL("\"${secret.slack_of_data}\"", "The incoming webhook's URL, which is a secret."),
    ROW_WHEN,
    {.name = NULL},
};
static const struct Field MORE_TEAMS_FIELDS[] = {
    ROW_NAMED_URL("\"${secret.teams_of_data}\"", "The URL of the workflow, which is a secret."),
    ROW_WHEN,
    {.name = NULL},
};
static const struct Record MORE_SLACK_RECORD =
    WAY_RECORD("slack", "A channel of Slack, by an incoming webhook.", MORE_SLACK_FIELDS);
static const struct Record MORE_TEAMS_RECORD =
    WAY_RECORD("teams", "A channel of Teams, by a workflow that posts cards.", MORE_TEAMS_FIELDS);

static const struct Field MORE_NOTIFY_FIELDS[] = {
    {.name = "slack",
     .type = FIELD_RECORD,
     AT(NOTIFY_SLACK),
     .of = &MORE_SLACK_RECORD,
     .example = "{url: \"${secret.slack_of_data}\"}",
     .doc = "Tells a channel of Slack as well."},
    {.name = "teams",
     .type = FIELD_RECORD,
     AT(NOTIFY_TEAMS),
     .of = &MORE_TEAMS_RECORD,
     .example = "{url: \"${secret.teams_of_data}\", when: [halt, end]}",
     .doc = "Tells a channel of Teams as well."},
    {.name = "webhook",
     .type = FIELD_RECORD,
     AT(NOTIFY_WEBHOOK),
     .of = &WEBHOOK_RECORD,
     .example = "{url: \"https://hooks.example.net/redis\", when: end}",
     .doc = "Tells a service of your own as well."},
    {.name = "", .type = FIELD_NODE, .offset = offsetof(struct NotifyFields, node)},
    {.name = NULL},
};
const struct Record MORE_NOTIFY_RECORD = {
    .name = "notify",
    .doc = "Who is told of this drill besides those of environment and project; its secrets are "
           "those of the environment.",
    .size = sizeof(struct NotifyFields),
    .fields = MORE_NOTIFY_FIELDS,
};

/* ---- Who is told in the end. ---- */

static bool has_secret(const struct Environment *environment, const char *text)
{
    const struct SecretSpec *secrets = environment->secrets.items;
    if (text == NULL || !reference_is_whole(text, "secret"))
        return true;
    size_t size = strlen(text) - strlen("${secret.}");
    for (size_t at = 0; at < environment->secrets.count; at++)
        if (strlen(secrets[at].name) == size &&
            strncmp(secrets[at].name, text + strlen("${secret."), size) == 0)
            return true;
    return false;
}

static unsigned when_of(const struct List *names_given)
{
    const char *const *names = names_given->items;
    unsigned when = names_given->count == 0 ? NOTIFY_START | NOTIFY_HALT | NOTIFY_END : 0;
    for (size_t at = 0; at < names_given->count; at++)
        for (size_t n = 0; WHENS[n].name != NULL; n++)
            if (text_equal(WHENS[n].name, names[at]))
                when |= (unsigned)WHENS[n].value;
    return when;
}

static bool secrets_known(const struct Environment *environment,
                          const struct NotifyWayFields *fields, const char *name, const char *whose,
                          struct Err *err)
{
    const struct TextPair *headers = fields->headers.items;
    bool known = has_secret(environment, fields->url) && has_secret(environment, fields->key);
    for (size_t at = 0; at < fields->headers.count; at++)
        known = known && has_secret(environment, headers[at].value);
    if (known)
        return true;
    err_set(err, ERR_REFERENCE, NOWHERE,
            "`notify.%s` of the %s names a secret that environment '%s' does not have", name, whose,
            environment->name);
    return err_hint(err, "name it under `secrets:` of the environment");
}

static bool is_told(const struct List *list, size_t way, const char *url)
{
    const struct NotifyTo *to = list->items;
    for (size_t at = 0; at < list->count; at++)
        if (to[at].way == (enum NotifyWay)way && text_equal(to[at].url, url))
            return true;
    return false;
}

struct Gathering {
    const struct Environment *environment;
    struct Arena *arena;
    struct List *out;
};

static bool add_way(const struct Gathering *of, const struct NotifyFields *from, size_t way,
                    const char *whose, struct Err *err)
{
    const struct NotifyWayFields *fields = from != NULL ? from->way[way] : NULL;
    const char *name = NOTIFY_FIELDS[way].name;
    if (fields == NULL || is_told(of->out, way, fields->url))
        return true;
    if (!secrets_known(of->environment, fields, name, whose, err))
        return false;
    *(struct NotifyTo *)list_add(of->out, of->arena, sizeof(struct NotifyTo)) =
        (struct NotifyTo){.way = (enum NotifyWay)way,
                          .name = name,
                          .url = fields->url,
                          .key = fields->key,
                          .when = when_of(&fields->when),
                          .headers = fields->headers};
    return true;
}

bool notify_gather(const struct Environment *environment, const struct NotifyFields *project,
                   const struct NotifyFields *scenario, struct Arena *arena, struct List *out,
                   struct Err *err)
{
    const struct Gathering of = {environment, arena, out};
    for (size_t way = 0; way < NOTIFY_WAYS; way++) {
        bool own = environment->notify != NULL && environment->notify->way[way] != NULL;
        if (!add_way(&of, own ? environment->notify : project, way, "project", err) ||
            !add_way(&of, scenario, way, "scenario", err))
            return false;
    }
    return true;
}

/* ---- Silence. ---- */

bool matcher_read(const char *text, struct Matcher *out)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    *out = (struct Matcher){.name_size = strspn(text, letters)};
    const char *at = text + out->name_size;
    bool digit_first = *text >= '0' && *text <= '9';
    out->is_equal = *at == '=';
    out->is_regex = (at[0] == '=' || at[0] == '!') && at[1] == '~';
    at += out->is_regex ? 2 : out->is_equal ? 1 : text_starts(at, "!=") ? 2 : 0;
    out->value = at;
    return out->name_size > 0 && !digit_first && at > text + out->name_size && *at != '\0';
}

static void silence_check(const void *record, const struct Node *node, struct Decode *decode)
{
    const struct SilenceFields *fields = record;
    const char *const *matchers = fields->matchers.items;
    const struct Node *place = node_get(node, "matchers");
    struct Matcher matcher;
    bool narrow = false;
    for (size_t at = 0; at < fields->matchers.count; at++) {
        if (reference_present(matchers[at]))
            narrow = true;
        else if (!matcher_read(matchers[at], &matcher))
            problems_say(decode->problems, ERR_VALUE, place->where,
                         "write it like \"env=staging\", with one of = != =~ !~",
                         "'%s' matches no label", matchers[at]);
        else
            narrow = narrow || (matcher.is_equal && !text_equal(matcher.value, ".*"));
    }
    if (!narrow)
        problems_say(decode->problems, ERR_RULE, place->where,
                     "name a label that only this environment's alerts have",
                     "`silence` would silence every alert there is");
}

static const struct Field SILENCE_FIELDS[] = {
    {.name = "alertmanager",
     .type = FIELD_TEXT,
     .offset = offsetof(struct SilenceFields, alertmanager),
     .flags = FIELD_REQUIRED,
     .example = "\"${endpoint.alertmanager}\"",
     .doc = "The URL of the Alertmanager."},
    {.name = "matchers",
     .type = FIELD_LIST,
     .offset = offsetof(struct SilenceFields, matchers),
     .flags = FIELD_REQUIRED,
     .min = 1,
     .max = 20,
     .example = "[\"env=staging\", \"team=~platform|data\"]",
     .doc = "Which alerts: all of these must match; labels with = != =~ or !~."},
    {.name = "headers",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct SilenceFields, headers),
     .example = "{Authorization: \"${secret.alertmanager}\"}",
     .doc = "Headers that are sent; a value may be a secret as a whole."},
    {.name = NULL},
};
const struct Record SILENCE_RECORD = {
    .name = "silence",
    .doc = "A silence around each drill: made before the first fault, gone with the drill, and by "
           "itself where nobody ends it.",
    .size = sizeof(struct SilenceFields),
    .fields = SILENCE_FIELDS,
    .check = silence_check,
};
