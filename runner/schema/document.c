/* document.c - YAML to a tree in which every value knows its place. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "document.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/text.h"
#include "yaml_tree.h"

enum { FILE_MAX_BYTES = 256 * 1024 };

/* Line and column of a byte; CR, LF and CR LF each end a line, as libyaml counts them. */
static struct Where place_of(const char *path, const char *text, size_t at)
{
    struct Where where = {.file = path, .line = 1, .column = 1};
    for (size_t n = 0; n < at; n++) {
        bool ends = text[n] == '\n' || (text[n] == '\r' && text[n + 1] != '\n');
        if (ends) {
            where.line++;
            where.column = 1;
        } else if (((unsigned char)text[n] & 0xc0) != 0x80 && text[n] != '\r') {
            where.column++;
        }
    }
    return where;
}

/* What is wrong with a code point in a file of ours, or NULL. Line ends that are not CR or LF are
 * refused because editors and YAML count them differently. */
static const char *objection(uint32_t code, size_t at)
{
    if (code == '\t' || code == '\n' || code == '\r' || (code == 0xfeff && at == 0))
        return NULL;
    if (code == 0)
        return "a NUL byte";
    if (code < 0x20 || (code >= 0x7f && code < 0xa0))
        return "a control character";
    if (code == 0xfeff)
        return "a byte order mark inside the text";
    if (code == 0xfffe || code == 0xffff)
        return "a code that is no character";
    return text_is_deceptive(code) ? "an invisible character that reorders text" : NULL;
}

static bool bytes_are_text(const struct Document *document, struct Problems *problems)
{
    for (size_t at = 0; at < document->size;) {
        uint32_t code = 0;
        size_t taken = text_decode(document->text + at, document->size - at, &code);
        const char *why = taken == 0 ? "a byte that is not UTF-8" : objection(code, at);
        if (why != NULL) {
            struct Where where = place_of(document->path, document->text, at);
            unsigned value = taken == 0 ? (unsigned char)document->text[at] : code;
            problems_say(problems, ERR_BYTES, where, "save the file as UTF-8 text",
                         "the file holds %s (%s%02x)", why, taken == 0 ? "0x" : "U+00", value);
            return false;
        }
        at += taken;
    }
    return true;
}

const struct Document *document_parse(const char *path, const char *text, size_t size,
                                      struct Arena *arena, struct Problems *problems)
{
    struct Document *document = arena_zero(arena, 1, sizeof(*document));
    document->path = arena_text(arena, path);
    document->text = "";
    struct Where whole = {.file = document->path, .line = 1, .column = 1};
    if (size > FILE_MAX_BYTES) {
        problems_say(problems, ERR_LIMIT, whole, NULL, "the file has %zu bytes, the most is %d",
                     size, FILE_MAX_BYTES);
        return document;
    }
    document->text = arena_bytes(arena, text, size);
    document->size = size;
    if (bytes_are_text(document, problems))
        document->root = yaml_tree(document, arena, problems);
    return document;
}

/* Opens a regular file that nobody else may change; its size is checked by the parser. */
static int open_file(const char *path, struct Err *err)
{
    struct Where where = {.file = path};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        err_set(err, ERR_FILE, where, "the file cannot be read: %s", strerror(errno));
        return -1;
    }
    struct stat about;
    if (fstat(fd, &about) != 0) {
        err_set(err, ERR_FILE, where, "the file cannot be read: %s", strerror(errno));
    } else if (!S_ISREG(about.st_mode)) {
        err_set(err, ERR_FILE, where, "this is not a regular file");
    } else if ((about.st_mode & S_IWOTH) != 0) {
        err_set(err, ERR_FILE, where, "everybody may change the file");
        err_hint(err, "chmod o-w %s", path);
    } else {
        return fd;
    }
    close(fd);
    return -1;
}

const struct Document *document_read(const char *path, struct Arena *arena,
                                     struct Problems *problems)
{
    struct Document *document = arena_zero(arena, 1, sizeof(*document));
    document->path = arena_text(arena, path);
    document->text = "";
    struct Err err;
    int fd = open_file(document->path, &err);
    if (fd < 0) {
        problems_add(problems, &err);
        return document;
    }
    size_t size = 0;
    char *bytes = mem_zero(1, FILE_MAX_BYTES + 1);
    ssize_t got = 0;
    do {
        got = read(fd, bytes + size, FILE_MAX_BYTES + 1 - size);
        size += got > 0 ? (size_t)got : 0;
    } while (got > 0 || (got < 0 && errno == EINTR));
    int why = errno;
    close(fd);
    const struct Document *parsed = document;
    if (got < 0)
        problems_say(problems, ERR_FILE, (struct Where){.file = document->path}, NULL,
                     "the file cannot be read: %s", strerror(why));
    else if (size > FILE_MAX_BYTES)
        problems_say(problems, ERR_LIMIT,
                     (struct Where){.file = document->path, .line = 1, .column = 1}, NULL,
                     "the file has more than %d bytes", FILE_MAX_BYTES);
    else
        parsed = document_parse(path, bytes, size, arena, problems);
    mem_free(bytes);
    return parsed;
}

static size_t find_key(const struct Node *map, const char *key)
{
    size_t count = map != NULL && map->type == NODE_MAP ? map->count : 0;
    for (size_t n = 0; n < count; n++) {
        if (strcmp(map->keys[n]->text, key) == 0)
            return n;
    }
    return SIZE_MAX;
}

const struct Node *node_get(const struct Node *map, const char *key)
{
    size_t index = find_key(map, key);
    return index == SIZE_MAX ? NULL : map->items[index];
}

const struct Node *node_key(const struct Node *map, const char *key)
{
    size_t index = find_key(map, key);
    return index == SIZE_MAX ? NULL : map->keys[index];
}
