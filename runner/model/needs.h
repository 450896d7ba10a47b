/* needs.h - which faildrill a file was written for. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_NEEDS_H
#define FD_MODEL_NEEDS_H

#include "../schema/field.h"

/* The key of scenarios, environments and game days. */
#define NEEDS_ROW(offset_of)                                                                       \
    {                                                                                              \
        .name = "needs", .type = FIELD_TEXT, .offset = (offset_of), .flags = FIELD_PROSE,          \
        .example = "faildrill >= 0.1",                                                             \
        .doc = "The oldest faildrill that knows all that the file says; an older one refuses it "  \
               "by this line, and says nothing of what it does not know."                          \
    }
/* False, with the problem, where the file wants a newer one, or does not say it well. What else is
 * wrong with it is then not worth saying: it may be right for the one that it wants. */
bool needs_met(const struct Node *root, struct Problems *problems);

#endif
