/* yaml_write.c - a tree as YAML that reads as the same tree again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "yaml_write.h"

#include <string.h>

#include "../base/text.h"

enum { STEP = 2 };

static void write_below(const struct Node *node, size_t indent, struct Buf *out);

/* What an editor or another reader may take for something else. */
static bool must_escape(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0xfeff || code == 0xfffe ||
           code == 0xffff || text_is_deceptive(code);
}

static void write_quoted(const char *text, struct Buf *out)
{
    buf_char(out, '"');
    for (size_t size = strlen(text), at = 0; at < size;) {
        uint32_t code = 0;
        size_t taken = text_decode(text + at, size - at, &code);
        if (taken == 0)
            bug("a scalar that is not UTF-8");
        if (code == '"' || code == '\\')
            buf_printf(out, "\\%c", (char)code);
        else if (code == '\n')
            buf_put(out, "\\n");
        else if (must_escape(code))
            buf_printf(out, "\\u%04x", code);
        else
            buf_add(out, text + at, taken);
        at += taken;
    }
    buf_char(out, '"');
}

static void write_scalar(const struct Node *node, struct Buf *out)
{
    if (node->quoted || strpbrk(node->text, "\r\n\t") != NULL)
        write_quoted(node->text, out);
    else
        buf_put(out, node->text);
}

static void write_key(const struct Node *key, struct Buf *out)
{
    if (text_is_name(key->text, true))
        buf_put(out, key->text);
    else
        write_quoted(key->text, out);
    buf_char(out, ':');
}

/* Behind `key:` or `-`, to the end of the last line. */
static void write_value(const struct Node *node, size_t indent, struct Buf *out)
{
    if (node->type != NODE_SCALAR && node->count > 0) {
        buf_char(out, '\n');
        write_below(node, indent, out);
        return;
    }
    bool nothing = node->type == NODE_SCALAR && node->text[0] == '\0' && !node->quoted;
    buf_put(out, nothing ? "" : " ");
    if (node->type == NODE_SCALAR)
        write_scalar(node, out);
    else
        buf_put(out, node->type == NODE_MAP ? "{}" : "[]");
    buf_char(out, '\n');
}

/* Its first line has its blanks already where `begun`: it stands behind a `- `. */
static void write_map(const struct Node *map, size_t indent, bool begun, struct Buf *out)
{
    for (size_t n = 0; n < map->count; n++) {
        buf_printf(out, "%*s", n == 0 && begun ? 0 : (int)indent, "");
        write_key(map->keys[n], out);
        write_value(map->items[n], indent + STEP, out);
    }
}

static void write_below(const struct Node *node, size_t indent, struct Buf *out)
{
    if (node->type == NODE_MAP) {
        write_map(node, indent, false, out);
        return;
    }
    for (size_t n = 0; n < node->count; n++) {
        const struct Node *item = node->items[n];
        buf_printf(out, "%*s-", (int)indent, "");
        if (item->type == NODE_MAP && item->count > 0) {
            buf_char(out, ' ');
            write_map(item, indent + STEP, true, out);
        } else {
            write_value(item, indent + STEP, out);
        }
    }
}

void yaml_write(const struct Node *root, struct Buf *out)
{
    if (root->type == NODE_SCALAR || root->count == 0)
        write_value(root, 0, out);
    else
        write_below(root, 0, out);
}
