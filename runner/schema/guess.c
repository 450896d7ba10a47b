/* guess.c - what was meant by a value that is almost one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "value.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "../base/duration.h"
#include "../base/err.h"

struct Word {
    const char *said, *unit;
};

/* Compared without regard to case, also without a plural s; "" is a number alone. */
static const struct Word duration_words[] = {
    {"", "s"},    {"s", "s"},      {"sec", "s"}, {"second", "s"}, {"m", "m"},
    {"min", "m"}, {"minute", "m"}, {"h", "h"},   {"hr", "h"},     {"hour", "h"},
    {"d", "d"},   {"day", "d"},    {"ms", "ms"}, {"msec", "ms"},  {"millisecond", "ms"},
    {"us", "us"}, {"usec", "us"},
};
static const struct Word size_words[] = {
    {"", "B"},     {"byte", "B"},  {"k", "kB"},   {"kb", "kB"},   {"m", "MB"},
    {"mb", "MB"},  {"g", "GB"},    {"gb", "GB"},  {"ki", "KiB"},  {"kib", "KiB"},
    {"mi", "MiB"}, {"mib", "MiB"}, {"gi", "GiB"}, {"gib", "GiB"},
};
static const struct Word share_words[] = {
    {"", "%"}, {"%", "%"}, {"percent", "%"}, {"pct", "%"}, {"per cent", "%"}};
static const struct Word rate_words[] = {
    {"", "/s"},           {"/s", "/s"},    {"/sec", "/s"},     {"/second", "/s"},
    {"per second", "/s"}, {"hz", "/s"},    {"/min", "/m"},     {"/minute", "/m"},
    {"per minute", "/m"}, {"/hour", "/h"}, {"per hour", "/h"},
};

static const struct Word bits_words[] = {
    {"bit", "bit/s"},   {"bps", "bit/s"},     {"k", "kbit/s"}, {"kbit", "kbit/s"},
    {"kbps", "kbit/s"}, {"kbit/s", "kbit/s"}, {"m", "Mbit/s"}, {"mbit", "Mbit/s"},
    {"mbps", "Mbit/s"}, {"mbit/s", "Mbit/s"}, {"g", "Gbit/s"}, {"gbit", "Gbit/s"},
    {"gbps", "Gbit/s"}, {"gbit/s", "Gbit/s"},
};
static const struct Word bool_words[] = {
    {"yes", "true"}, {"y", "true"},  {"on", "true"},   {"1", "true"},  {"true", "true"},
    {"no", "false"}, {"n", "false"}, {"off", "false"}, {"0", "false"}, {"false", "false"},
};

static bool said_alike(const char *said, size_t size, const char *word)
{
    size_t length = strlen(word);
    if (size == length + 1 && length > 2 && tolower((unsigned char)said[length]) == 's')
        size--;
    return size == length && strncasecmp(said, word, length) == 0;
}

static const char *unit_of(const struct Word *words, size_t count, const char *said, size_t size)
{
    for (size_t n = 0; n < count; n++) {
        if (said_alike(said, size, words[n].said))
            return words[n].unit;
    }
    return NULL;
}

/* Numbers with their words, rewritten: "1 min 30 sec" becomes 1m30s. */
static bool rewrite(const struct Word *words, size_t count, const char *text, char out[32])
{
    static const char digits[] = "0123456789.", blanks[] = " \t_";
    size_t used = 0;
    text += strspn(text, blanks);
    do {
        size_t number = strspn(text, digits);
        const char *said = text + number + strspn(text + number, blanks);
        size_t size = strcspn(said, digits);
        size_t word = size;
        while (word > 0 && strchr(blanks, said[word - 1]) != NULL)
            word--;
        const char *unit = unit_of(words, count, said, word);
        if (number == 0 || number > 9 || unit == NULL || used + number + strlen(unit) >= 31)
            return false;
        used += (size_t)snprintf(out + used, 32 - used, "%.*s%s", (int)number, text, unit);
        text = said + size;
    } while (*text != '\0');
    return true;
}

bool value_guess(enum FieldType type, const char *text, char out[32])
{
    int64_t value = 0;
    const char *word = NULL;
    switch (type) {
    case FIELD_DURATION:
    case FIELD_LOSS:
        return rewrite(duration_words, COUNT_OF(duration_words), text, out) &&
               duration_parse(out, &value, NULL);
    case FIELD_SIZE:
        return rewrite(size_words, COUNT_OF(size_words), text, out) &&
               size_parse(out, &value, NULL);
    case FIELD_SHARE:
    case FIELD_PICK:
        return rewrite(share_words, COUNT_OF(share_words), text, out) &&
               share_parse(out, &value, NULL);
    case FIELD_RATE:
        return rewrite(rate_words, COUNT_OF(rate_words), text, out) &&
               rate_parse(out, &value, NULL);
    case FIELD_BITS:
        return rewrite(bits_words, COUNT_OF(bits_words), text, out) &&
               bits_parse(out, &value, NULL);
    case FIELD_BOOL:
        word = unit_of(bool_words, COUNT_OF(bool_words), text, strlen(text));
        if (word != NULL)
            snprintf(out, 32, "%s", word);
        return word != NULL;
    case FIELD_NODE:
    case FIELD_INT:
    case FIELD_TEXT:
    case FIELD_CHOICE:
    case FIELD_RECORD:
    case FIELD_LIST:
    case FIELD_MAP:
    case FIELD_NAME:
    case FIELD_TEXTS:
    case FIELD_ANY:
        return false;
    }
    return false;
}
