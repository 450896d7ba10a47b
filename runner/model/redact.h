/* redact.h - values of secrets, taken out of what is said and stored. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_REDACT_H
#define FD_MODEL_REDACT_H

#include "../base/buf.h"

/* Shorter ones are left: they would be found in every text. */
enum { REDACT_LEAST = 4 };

/* Appends `text` with every value of an unlocked secret as ${secret.NAME}: as it is, and as URLs,
 * base64 (at any place in it), JSON and shell words write it. */
void redact(const char *text, struct Buf *out);
/* The unlocked secrets, environment_secret.c; false past the last. */
bool secret_at(size_t index, const char **name, const char **value);

#endif
