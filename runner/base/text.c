/* text.c - small questions about strings that several floors ask. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "err.h"

enum { NAME_MAX_COMPARED = 63 };

bool text_equal(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool text_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *text, const char *suffix)
{
    size_t size = strlen(text), end = strlen(suffix);
    return size >= end && memcmp(text + size - end, suffix, end) == 0;
}

int text_take_digits(const char **text, int digits)
{
    int value = 0;
    for (int n = 0; n < digits; n++, (*text)++) {
        if (**text < '0' || **text > '9')
            return -1;
        value = value * 10 + (**text - '0');
    }
    return value;
}

bool text_take_char(const char **text, char wanted)
{
    if (**text != wanted)
        return false;
    (*text)++;
    return true;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool text_is_name(const char *text, bool dashes)
{
    if (!is_letter(text[0]))
        return false;
    for (const char *c = text; *c != '\0'; c++) {
        if (!is_letter(*c) && !is_digit(*c) && *c != '_' && !(dashes && *c == '-'))
            return false;
    }
    return true;
}

static char fold(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c == '-' ? '_' : c;
}

void text_swap(char *text, const char *from, const char *to)
{
    size_t size = strlen(from);
    if (size == 0 || size != strlen(to))
        return;
    for (char *at = text; (at = strstr(at, from)) != NULL; at += size)
        memcpy(at, to, size);
}

bool text_same_name(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++) {
        if (*a != *b && !(strchr("-_", *a) != NULL && strchr("-_", *b) != NULL))
            return false;
    }
    return *a == *b;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters to add, drop, change or swap with their neighbour. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][NAME_MAX_COMPARED + 1];
    size_t a_size = strlen(a), b_size = strlen(b);
    for (size_t j = 0; j <= b_size; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            bool same = fold(a[i - 1]) == fold(b[j - 1]);
            row[j] = least(above[j - 1] + !same, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
                fold(a[i - 2]) == fold(b[j - 1]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return rows[a_size % 3][b_size];
}

const char *text_nearest(const char *text, const char *const *names, size_t count)
{
    size_t size = strlen(text);
    if (size > NAME_MAX_COMPARED || size == 0)
        return NULL;
    size_t best = size <= 2 ? 1 : size <= 5 ? 2 : 3;
    best += 1;
    const char *nearest = NULL;
    for (size_t n = 0; n < count; n++) {
        size_t other = strlen(names[n]);
        if (other > NAME_MAX_COMPARED)
            continue;
        size_t steps = distance(text, names[n]);
        if (steps < best && steps * 2 <= (size > other ? size : other)) {
            best = steps;
            nearest = names[n];
        }
    }
    return nearest;
}

size_t text_decode(const char *bytes, size_t size, uint32_t *code)
{
    static const uint32_t least_of[] = {0, 0, 0x80, 0x800, 0x10000};
    if (size == 0)
        return 0;
    const unsigned char *byte = (const unsigned char *)bytes;
    size_t length = byte[0] < 0x80 ? 1 : byte[0] < 0xc0 ? 0 : byte[0] < 0xe0 ? 2 : 3;
    if (byte[0] >= 0xf0)
        length = byte[0] < 0xf8 ? 4 : 0;
    if (length == 0 || length > size)
        return 0;
    uint32_t value = length == 1 ? byte[0] : byte[0] & (0x7fu >> length);
    for (size_t n = 1; n < length; n++) {
        if ((byte[n] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (byte[n] & 0x3fu);
    }
    if (value < least_of[length] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
        return 0;
    *code = value;
    return length;
}

bool text_is_deceptive(uint32_t code)
{
    return code == 0x61c || code == 0x200e || code == 0x200f || code == 0x2028 || code == 0x2029 ||
           code == 0xfeff || (code >= 0x202a && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069);
}

size_t text_whole(const char *bytes, size_t size)
{
    size_t start = size;
    while (start > 0 && size - start < 3 && ((unsigned char)bytes[start - 1] & 0xc0) == 0x80)
        start--;
    if (start == 0 || (unsigned char)bytes[start - 1] < 0xc0)
        return size;
    uint32_t code = 0;
    return text_decode(bytes + start - 1, size - start + 1, &code) > 0 ? size : start - 1;
}

static void write_hex(const unsigned char hash[32], char out[65])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t n = 0; n < 32; n++) {
        out[2 * n] = digits[hash[n] >> 4];
        out[2 * n + 1] = digits[hash[n] & 15];
    }
    out[64] = '\0';
}

void hash_hex(const void *bytes, size_t size, char out[65])
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    if (EVP_Digest(bytes, size, hash, &length, EVP_sha256(), NULL) != 1 || length != 32)
        bug("SHA-256 cannot be computed");
    write_hex(hash, out);
}

void hmac_hex(const char *key, const char *text, char out[65])
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    if (HMAC(EVP_sha256(), key, (int)strlen(key), (const unsigned char *)text, strlen(text), hash,
             &length) == NULL ||
        length != 32)
        bug("HMAC-SHA256 cannot be computed");
    write_hex(hash, out);
}
