/* environment_notify.h - who is told of a drill, and whose alerts are silent meanwhile. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_ENVIRONMENT_NOTIFY_H
#define FD_MODEL_ENVIRONMENT_NOTIFY_H

#include "../schema/decode.h"

/* notify: {slack: {url: "${secret.slack}"}}; NULL: not told. */
enum NotifyWay { NOTIFY_SLACK, NOTIFY_TEAMS, NOTIFY_WEBHOOK, NOTIFY_GRAFANA, NOTIFY_WAYS };
enum NotifyWhen { NOTIFY_START = 1, NOTIFY_HALT = 2, NOTIFY_END = 4 };
struct NotifyFields {
    const struct NotifyWayFields {
        const char *url;
        const char *key;        /* signs a webhook, opens a Grafana; or NULL */
        struct List when;       /* of const char *: start, halt, end; none: all of them */
        struct List headers;    /* of struct TextPair */
        const char *env, *file; /* read nowhere: environment_sources has taken them out */
        struct List command;
    } * way[NOTIFY_WAYS];
    const struct Node *node;
};
extern const struct Record NOTIFY_RECORD;
/* A scenario's own, told besides; charts are the environment's. */
extern const struct Record MORE_NOTIFY_RECORD;

/* Who is told in the end; secrets are references still (environment_secret). */
struct NotifyTo {
    enum NotifyWay way;
    const char *name, *url, *key;
    unsigned when; /* of enum NotifyWhen */
    struct List headers;
};
struct Environment;
/* The environment's ways, and those of the project that it does not have itself; then those of the
 * scenario (or NULL) that lead elsewhere. False where one names a secret that the environment does
 * not have. */
bool notify_gather(const struct Environment *environment, const struct NotifyFields *project,
                   const struct NotifyFields *scenario, struct Arena *arena, struct List *out,
                   struct Err *err) MUST_CHECK;

/* silence: {alertmanager: URL, matchers: ["env=staging"]} */
struct SilenceFields {
    const char *alertmanager;
    struct List matchers; /* of const char * */
    struct List headers;  /* of struct TextPair */
};
extern const struct Record SILENCE_RECORD;
/* "team=~platform|data" in its parts; false where it is none. Both point into `text`. */
struct Matcher {
    size_t name_size;
    const char *value;
    bool is_regex, is_equal;
};
bool matcher_read(const char *text, struct Matcher *out);

#endif
