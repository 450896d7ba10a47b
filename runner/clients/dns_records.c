/* dns_records.c - what a name server's answer holds, in words. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dns_records.h"

#include <ares.h>
#include <arpa/inet.h>
#include <limits.h>

enum { HEAD = 12, QUESTION_TAIL = 4, RECORD_HEAD = 10 };

struct Message {
    const unsigned char *bytes;
    size_t size, at;
};

static size_t left(const struct Message *message)
{
    return message->size - message->at;
}

/* Of the two bytes at `at`, which must be there. */
static unsigned number(const struct Message *message, size_t at)
{
    return (unsigned)message->bytes[at] << 8 | message->bytes[at + 1];
}

/* A name, which may point back; goes behind it. `out` NULL: only that. */
static bool take_name(struct Message *message, struct Buf *out)
{
    char *name = NULL;
    long taken = 0;
    if (message->at >= message->size ||
        ares_expand_name(message->bytes + message->at, message->bytes, (int)message->size, &name,
                         &taken) != ARES_SUCCESS)
        return false;
    if (out != NULL)
        buf_put(out, name);
    ares_free_string(name);
    message->at += (size_t)taken;
    return message->at <= message->size;
}

static bool take_numbers(struct Message *message, size_t count, struct Buf *out)
{
    if (left(message) < 2 * count)
        return false;
    for (size_t n = 0; n < count; n++, message->at += 2)
        buf_printf(out, "%u ", number(message, message->at));
    return true;
}

static bool take_address(const struct Message *message, int family, size_t wanted, size_t size,
                         struct Buf *out)
{
    char text[INET6_ADDRSTRLEN];
    if (size != wanted ||
        inet_ntop(family, message->bytes + message->at, text, sizeof(text)) == NULL)
        return false;
    buf_put(out, text);
    return true;
}

/* Strings of a length byte and as many more; together they are one text. */
static bool take_texts(const struct Message *message, size_t size, struct Buf *out)
{
    const unsigned char *bytes = message->bytes + message->at;
    for (size_t at = 0; at < size; at += 1 + (size_t)bytes[at]) {
        if (bytes[at] > size - at - 1)
            return false;
        buf_add(out, (const char *)bytes + at + 1, bytes[at]);
    }
    return true;
}

static bool take_soa(struct Message *message, struct Buf *out)
{
    if (!take_name(message, out))
        return false;
    buf_char(out, ' ');
    if (!take_name(message, out) || left(message) < 4)
        return false;
    unsigned long serial =
        (unsigned long)number(message, message->at) << 16 | number(message, message->at + 2);
    buf_printf(out, " %lu", serial);
    return true;
}

static bool take_data(struct Message *message, int type, size_t size, struct Buf *out)
{
    switch ((enum DnsType)type) {
    case DNS_A:
        return take_address(message, AF_INET, 4, size, out);
    case DNS_AAAA:
        return take_address(message, AF_INET6, 16, size, out);
    case DNS_NS:
    case DNS_CNAME:
    case DNS_PTR:
        return take_name(message, out);
    case DNS_MX:
        return take_numbers(message, 1, out) && take_name(message, out);
    case DNS_SRV:
        return take_numbers(message, 3, out) && take_name(message, out);
    case DNS_TXT:
        return take_texts(message, size, out);
    case DNS_SOA:
        return take_soa(message, out);
    }
    return false;
}

static bool take_record(struct Message *message, int wanted, struct Buf *out)
{
    if (!take_name(message, NULL) || left(message) < RECORD_HEAD)
        return false;
    int type = (int)number(message, message->at);
    size_t size = number(message, message->at + 8);
    message->at += RECORD_HEAD;
    if (left(message) < size)
        return false;
    size_t next = message->at + size;
    if (type == wanted) {
        if (out->size > 0)
            buf_char(out, '\n');
        if (!take_data(message, type, size, out) || message->at > next)
            return false;
    }
    message->at = next;
    return true;
}

bool dns_records_read(int type, const unsigned char *bytes, size_t size, struct Buf *out)
{
    struct Message message = {.bytes = bytes, .size = size, .at = HEAD};
    if (size < HEAD || size > INT_MAX)
        return false;
    unsigned questions = number(&message, 4), answers = number(&message, 6);
    for (; questions > 0; questions--) {
        if (!take_name(&message, NULL) || left(&message) < QUESTION_TAIL)
            return false;
        message.at += QUESTION_TAIL;
    }
    for (; answers > 0; answers--)
        if (!take_record(&message, type, out))
            return false;
    return true;
}
