/* include.h - fragments that a scenario file includes, merged with it into one tree. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_INCLUDE_H
#define FD_MODEL_INCLUDE_H

#include "../schema/document.h"
#include "kinds.h"

struct IncludeInput {
    const struct Document *document; /* of the scenario */
    const struct Kinds *kinds;
    /* The file that `name` means in the file `beside`, each read once and by one path; NULL, with a
     * problem at `where`, where it may not be read. */
    const struct Document *(*read)(void *data, const char *beside, const char *name,
                                   struct Where where, struct Problems *problems);
    void *data;
};
/* The document itself where it includes nothing. Else one in the arena whose root holds what the
 * fragments say too, whose text is that tree as YAML, and which knows what it is made of; its root
 * is NULL, with problems, where a fragment is wrong, includes itself, or says what stands already.
 * At most 8 levels, 32 fragments, and 256 KiB in all. */
const struct Document *include_expand(const struct IncludeInput *input, struct Arena *arena,
                                      struct Problems *problems);
/* Problems from the `first` one on that stand in a fragment say from where it was included. */
void include_note(const struct Document *document, size_t first, struct Problems *problems);
/* A fragment by itself: its keys and values, as far as they can be judged without a scenario. */
bool fragment_check(const struct Document *document, const struct Kinds *kinds, struct Arena *arena,
                    struct Problems *problems);

#endif
