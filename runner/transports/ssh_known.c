/* ssh_known.c - whose host key is accepted: a pinned fingerprint, or what known_hosts says. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ssh_known.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 16384
#define FILE_MAX_LINES 100000

void ssh_fingerprint(const unsigned char *blob, size_t size, char out[64])
{
    unsigned char hash[SHA256_DIGEST_LENGTH], text[64];
    SHA256(blob, size, hash);
    int length = EVP_EncodeBlock(text, hash, sizeof hash);
    while (length > 0 && text[length - 1] == '=')
        length--;
    snprintf(out, 64, "SHA256:%.*s", length, (const char *)text);
}

unsigned char *base64_bytes(const char *text, struct Arena *arena, size_t *size)
{
    size_t length = strcspn(text, " \t\r\n|");
    if (length == 0 || length % 4 != 0 || length > LINE_MAX_BYTES)
        return NULL;
    unsigned char *bytes = arena_zero(arena, length / 4 * 3 + 1, 1);
    int got = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length);
    if (got < 0)
        return NULL;
    *size = (size_t)got - (text[length - 1] == '=') - (text[length - 2] == '=');
    return bytes;
}

/* |1|salt|HMAC-SHA1(salt, name)| */
static bool hashed_is(const char *pattern, const char *name, struct Arena *arena)
{
    size_t salt_size = 0, hash_size = 0;
    const char *second = strchr(pattern + 3, '|');
    unsigned char made[EVP_MAX_MD_SIZE];
    unsigned int made_size = 0;
    if (second == NULL)
        return false;
    const unsigned char *salt = base64_bytes(pattern + 3, arena, &salt_size);
    const unsigned char *hash = base64_bytes(second + 1, arena, &hash_size);
    if (salt == NULL || hash == NULL ||
        HMAC(EVP_sha1(), salt, (int)salt_size, (const unsigned char *)name, strlen(name), made,
             &made_size) == NULL)
        return false;
    return made_size == hash_size && memcmp(made, hash, hash_size) == 0;
}

/* Brackets are part of a name there, no class of characters. */
static bool pattern_is(const char *pattern, const char *name)
{
    char plain[512];
    size_t size = 0;
    for (; *pattern != '\0' && size + 2 < sizeof plain; pattern++) {
        if (*pattern == '[' || *pattern == ']' || *pattern == '\\')
            plain[size++] = '\\';
        plain[size++] = (char)tolower((unsigned char)*pattern);
    }
    plain[size] = '\0';
    return *pattern == '\0' && fnmatch(plain, name, 0) == 0;
}

static bool patterns_match(char *patterns, const char *name, struct Arena *arena)
{
    bool matched = false;
    char *save = NULL;
    if (strncmp(patterns, "|1|", 3) == 0)
        return hashed_is(patterns, name, arena);
    for (char *one = strtok_r(patterns, ",", &save); one != NULL;
         one = strtok_r(NULL, ",", &save)) {
        bool negated = *one == '!';
        if (!pattern_is(one + negated, name))
            continue;
        if (negated)
            return false;
        matched = true;
    }
    return matched;
}

static void take_line(char *line, const char *name, struct Arena *arena, struct List *out)
{
    char *save = NULL;
    char *word = strtok_r(line, " \t\r\n", &save);
    bool revoked = word != NULL && strcmp(word, "@revoked") == 0;
    if (word == NULL || *word == '#' || (*word == '@' && !revoked))
        return;
    char *patterns = revoked ? strtok_r(NULL, " \t\r\n", &save) : word;
    const char *type = strtok_r(NULL, " \t\r\n", &save);
    const char *text = strtok_r(NULL, " \t\r\n", &save);
    if (patterns == NULL || type == NULL || text == NULL || !patterns_match(patterns, name, arena))
        return;
    size_t size = 0;
    const unsigned char *blob = base64_bytes(text, arena, &size);
    if (blob == NULL)
        return;
    *(struct KnownKey *)list_add(out, arena, sizeof(struct KnownKey)) = (struct KnownKey){
        .type = arena_text(arena, type), .blob = blob, .size = size, .revoked = revoked};
}

static bool read_file(const char *path, const char *name, struct Arena *arena, struct List *out,
                      struct Err *err)
{
    char line[LINE_MAX_BYTES];
    FILE *file = fopen(path, "re");
    if (file == NULL && (errno == ENOENT || errno == ENOTDIR))
        return true;
    if (file == NULL)
        return err_set(err, ERR_IDENTITY, NOWHERE, "cannot read '%s': %s", path, strerror(errno));
    for (int count = 0; count < FILE_MAX_LINES && fgets(line, sizeof line, file) != NULL; count++)
        take_line(line, name, arena, out);
    bool good = ferror(file) == 0;
    fclose(file);
    return good || err_set(err, ERR_IDENTITY, NOWHERE, "cannot read '%s' to its end", path);
}

bool ssh_known_read(const struct List *files, const char *host, const char *port,
                    struct Arena *arena, struct List *out, struct Err *err)
{
    const char *const *paths = files->items;
    char *name = strcmp(port, "22") == 0 ? arena_text(arena, host)
                                         : arena_printf(arena, "[%s]:%s", host, port);
    for (char *at = name; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    for (size_t i = 0; i < files->count; i++)
        if (!read_file(paths[i], name, arena, out, err))
            return false;
    return true;
}
