/* session_kill.c - the sessions of a PostgreSQL or a Redis are ended, as an operator would. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>

#include "../base/text.h"
#include "database.h"
#include "kinds.h"

static bool session_kill_plan(const void *config, const struct PlanInput *input,
                              struct Arena *arena, struct Procedure *out, struct Err *err);
static void session_kill_check(const void *record, const struct Node *node, struct Decode *decode);

static const struct Field session_kill_fields[] = {
    DATABASE_FIELDS("Whose PostgreSQL or Redis: the name of a target, or one written in place."),
    {.name = "user",
     .type = FIELD_TEXT,
     .offset = offsetof(struct SessionKillConfig, user),
     .example = "shop",
     .doc = "Only those who are logged in as this one."},
    {.name = "application",
     .type = FIELD_TEXT,
     .offset = offsetof(struct SessionKillConfig, application),
     .example = "shop-api",
     .doc = "Only those who call themselves so: application_name, in Redis CLIENT SETNAME."},
    {.name = "client",
     .type = FIELD_TEXT,
     .offset = offsetof(struct SessionKillConfig, client),
     .example = "10.0.0.7",
     .doc = "Only those who come from this address."},
    {.name = "database",
     .type = FIELD_TEXT,
     .offset = offsetof(struct SessionKillConfig, database),
     .example = "shop",
     .doc = "Only those in this database of a PostgreSQL."},
    {.name = "replication",
     .type = FIELD_BOOL,
     .offset = offsetof(struct SessionKillConfig, replication),
     .fallback = "false",
     .example = "true",
     .doc = "Also those by which replicas get their data; else they are never ended."},
    {.name = NULL}};

const struct FaultKind session_kill_fault = {
    .name = "session_kill",
    .summary = "the sessions of a PostgreSQL or Redis are ended",
    .reversal = REVERSAL_SELF,
    .config = {.name = "session_kill",
               .doc = "Ends sessions, once, and counts them: all but our own and those of "
                      "replicas, or those that are named. What calls itself faildrill is ours; "
                      "in Redis, where the runner may not say CLIENT SETNAME, what comes from its "
                      "address.",
               .size = sizeof(struct SessionKillConfig),
               .fields = session_kill_fields,
               .check = session_kill_check},
    .plan = session_kill_plan,
};

static bool is_address(const char *text)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* Key by key: what the host is told, and by which word. */
struct Filter {
    const char *key, *word, *value;
};
enum { FILTERS = 4 };

static void filters_of(const struct SessionKillConfig *config, struct Filter out[FILTERS])
{
    out[0] = (struct Filter){"user", "user", config->user};
    out[1] = (struct Filter){"application", "application", config->application};
    out[2] = (struct Filter){"client", "client", config->client};
    out[3] = (struct Filter){"database", "of", config->database};
}

/* NULL, or what is wrong with it. */
static const char *filter_fault(const struct Filter *filter)
{
    if (text_equal(filter->key, "client"))
        return is_address(filter->value) ? NULL : "no address in numbers";
    return database_word(filter->value) ? NULL
                                        : "no plain name: letters, digits, _.@:/- and blanks";
}

static void session_kill_check(const void *record, const struct Node *node, struct Decode *decode)
{
    struct Filter filters[FILTERS];
    filters_of(record, filters);
    for (size_t i = 0; i < FILTERS; i++) {
        const char *value = filters[i].value;
        const char *why =
            value == NULL || reference_present(value) ? NULL : filter_fault(&filters[i]);
        if (why != NULL)
            problems_say(decode->problems, ERR_VALUE, node_get(node, filters[i].key)->where, NULL,
                         "'%s' is %s", value, why);
    }
}

static bool session_kill_plan(const void *data, const struct PlanInput *input, struct Arena *arena,
                              struct Procedure *out, struct Err *err)
{
    const struct SessionKillConfig *config = data;
    struct Holding holding = {
        .kind = "session_kill",
        .checking = "there are such sessions",
        .taking = "end those sessions, and see that they are gone",
        .proving = "they are gone",
        .clearing = "it is done, and nothing stays",
    };
    if (!database_say_any(&config->at, input, arena, &holding, err))
        return false;
    if (config->database != NULL && database_engine(input) == ENGINE_REDIS)
        return err_set(err, ERR_RULE, input->target->where,
                       "sessions of a Redis are in no database of their own");
    struct Filter filters[FILTERS];
    filters_of(config, filters);
    for (size_t i = 0; i < FILTERS; i++) {
        const char *why = filters[i].value != NULL ? filter_fault(&filters[i]) : NULL;
        if (why != NULL)
            return err_set(err, ERR_VALUE, input->target->where, "'%s' is %s", filters[i].value,
                           why);
        if (filters[i].value != NULL)
            holding_say(&holding, filters[i].word, filters[i].value);
    }
    if (config->replication)
        holding_say(&holding, "replication", "yes");
    *out = holding_plan(&holding, input, arena);
    out->undo = (struct Commands){.count = 0}; /* who was ended comes back by himself */
    out->once = true;
    return true;
}
