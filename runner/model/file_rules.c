/* file_rules.c - rules that hold in more than one kind of file. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "file_rules.h"

#include "../base/text.h"
#include "node_edit.h"
#include <string.h>

bool file_is_named(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    size_t size = dot != NULL ? (size_t)(dot - base) : strlen(base);
    char stem[256];
    if (size >= sizeof stem)
        return false;
    memcpy(stem, base, size);
    stem[size] = '\0';
    return text_same_name(stem, name);
}

struct Looking {
    struct Problems *problems;
    bool *good;
};

static void look(void *data, const struct Node *scalar)
{
    struct Looking *looking = data;
    const char *at = strstr(scalar->text, "${secret.");
    if (at == NULL || (at == scalar->text && strchr(at, '}') == at + strlen(at) - 1))
        return;
    problems_say(looking->problems, ERR_REFERENCE, scalar->where,
                 "put the whole value into the secret, and write \"${secret.NAME}\" alone",
                 "a secret cannot be a part of a text");
    *looking->good = false;
}

void secret_stands_alone(const struct Node *node, struct Problems *problems, bool *good)
{
    struct Looking looking = {.problems = problems, .good = good};
    node_each_scalar(node, look, &looking);
}
