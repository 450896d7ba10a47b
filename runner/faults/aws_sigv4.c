/* aws_sigv4.c - the words `aws_sigv4: {...}` of a request. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "aws_sigv4.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "../base/text.h"
#include "../clients/http.h"
#include "../model/aws_sigv4.h"

enum { WORD_MOST = 40 }; /* libcurl takes 64 */

static void sigv4_check(const void *record, const struct Node *node, struct Decode *decode);

static const struct Field sigv4_fields[] = {
    {.name = "region",
     .type = FIELD_TEXT,
     .offset = offsetof(struct AwsSigv4, region),
     .flags = FIELD_REQUIRED,
     .example = "eu-west-1",
     .doc = "The region of the endpoint that is asked."},
    {.name = "service",
     .type = FIELD_TEXT,
     .offset = offsetof(struct AwsSigv4, service),
     .flags = FIELD_REQUIRED,
     .example = "rds",
     .doc = "The service's name in signatures; that of Aurora is rds too."},
    {.name = "access_key_id",
     .type = FIELD_TEXT,
     .offset = offsetof(struct AwsSigv4, access_key_id),
     .flags = FIELD_REQUIRED,
     .example = "\"${secret.aws_key_id}\"",
     .doc = "The id of the access key; may be a secret."},
    {.name = "secret_access_key",
     .type = FIELD_TEXT,
     .offset = offsetof(struct AwsSigv4, secret_access_key),
     .flags = FIELD_SECRET | FIELD_REQUIRED,
     .example = "\"${secret.aws_key}\"",
     .doc = "The access key itself; it signs, and is not sent."},
    {.name = "session_token",
     .type = FIELD_TEXT,
     .offset = offsetof(struct AwsSigv4, session_token),
     .flags = FIELD_SECRET,
     .example = "\"${secret.aws_token}\"",
     .doc = "The session token that belongs to a temporary key; sent as X-Amz-Security-Token, and "
            "signed."},
    {.name = NULL}};

const struct Record aws_sigv4_record = {
    .name = "aws_sigv4",
    .doc = "Signs the request with Signature Version 4 of AWS; its URL has no query then, and "
           "parameters stand in the body.",
    .size = sizeof(struct AwsSigv4),
    .fields = sigv4_fields,
    .check = sigv4_check,
};

static struct Where place_of(const struct Node *node, const char *key)
{
    const struct Node *item = node_get(node, key);
    return item != NULL ? item->where : node->where;
}

static bool is_made_of(const char *text, const char *more)
{
    size_t at = 0;
    while (islower((unsigned char)text[at]) || isdigit((unsigned char)text[at]) ||
           (text[at] != '\0' && strchr(more, text[at]) != NULL))
        at++;
    return at > 0 && at <= WORD_MOST && text[at] == '\0' && islower((unsigned char)text[0]);
}

/* eu-west-1, us-gov-west-1: words and a number. A zone, eu-west-1a, is none. */
static bool is_region(const char *text)
{
    const char *last = strrchr(text, '-');
    return is_made_of(text, "-") && last != NULL && last != strchr(text, '-') && last[1] != '\0' &&
           last[1 + strspn(last + 1, "0123456789")] == '\0';
}

/* Of a ${param.} or ${env.} the value is seen as the plan is made; of these nobody would see it. */
static bool is_known_later(const char *text, const struct Node *node, const char *key,
                           struct Decode *decode)
{
    static const char *const later[] = {"${secret.", "${capture.", "${host.", "${run."};
    bool found = false;
    for (size_t n = 0; n < COUNT_OF(later); n++)
        found = found || strstr(text, later[n]) != NULL;
    if (found)
        problems_say(decode->problems, ERR_REFERENCE, place_of(node, key),
                     "write it out, or as ${param.NAME} or ${env.NAME}",
                     "`%s` is known before the run", key);
    return found || reference_present(text);
}

static void sigv4_check(const void *record, const struct Node *node, struct Decode *decode)
{
    const struct AwsSigv4 *signing = record;
    if (!is_known_later(signing->region, node, "region", decode) && !is_region(signing->region))
        problems_say(decode->problems, ERR_VALUE, place_of(node, "region"),
                     "write it like eu-west-1, without the letter of a zone",
                     "'%s' is no region of AWS", signing->region);
    if (!is_known_later(signing->service, node, "service", decode) &&
        !is_made_of(signing->service, "-"))
        problems_say(decode->problems, ERR_VALUE, place_of(node, "service"),
                     "write it as its signatures say it, like rds", "'%s' is no service of AWS",
                     signing->service);
    /* The value is not shown: it may be a key that somebody put here by mistake. */
    const char *id = signing->access_key_id;
    if (!reference_present(id) && (!text_is_name(id, false) || strlen(id) > 128))
        problems_say(decode->problems, ERR_VALUE, place_of(node, "access_key_id"),
                     "it is letters and digits, like AKIAIOSFODNN7EXAMPLE; the key itself is "
                     "secret_access_key: \"${secret.NAME}\"",
                     "`access_key_id` is no id of an access key");
}

void aws_sigv4_check_request(const struct Node *node, const char *url, const struct List *headers,
                             struct Decode *decode)
{
    static const char *const ours[] = {"authorization", "expect", "x-amz-date",
                                       "x-amz-security-token"};
    const struct TextPair *pairs = headers->items;
    const char *why = reference_present(url) ? NULL : http_signing_fault(url);
    if (why != NULL)
        problems_say(decode->problems, ERR_VALUE, place_of(node, "http"),
                     "like https://rds.eu-west-1.amazonaws.com/; AWS takes parameters from the "
                     "body as well: method: POST, body: \"Action=...&Version=...\"",
                     "a request to '%s' cannot be signed: %s", url, why);
    for (size_t n = 0; n < headers->count; n++) {
        for (size_t i = 0; i < COUNT_OF(ours); i++)
            if (strcasecmp(pairs[n].name, ours[i]) == 0)
                problems_say(decode->problems, ERR_RULE, pairs[n].where,
                             "a token is session_token: \"${secret.NAME}\" in aws_sigv4",
                             "the signing sees to `%s` itself", pairs[n].name);
        if (pairs[n].value[0] == '\0')
            problems_say(decode->problems, ERR_RULE, pairs[n].where, NULL,
                         "a header that is signed has a value");
    }
}
