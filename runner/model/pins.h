/* pins.h - host keys and machine ids, written into the text of an environment file. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_PINS_H
#define FD_MODEL_PINS_H

#include "environment.h"

struct Pin {
    const char *host, *key, *value; /* key: "host_key" or "machine_id" */
};
/* The text with these pins, everything else as it was: comments, order, quotes. A list of names
 * becomes a map. False where the file says its hosts in a way that is not understood here; the
 * caller reads the text again before it is written anywhere. */
bool pins_text(const struct Document *document, const struct Pin *pins, size_t count,
               struct Arena *arena, struct Buf *out, struct Err *err) MUST_CHECK;

#endif
