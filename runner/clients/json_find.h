/* json_find.h - one value of a JSON text, by its path; jansson. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLIENTS_JSON_FIND_H
#define FD_CLIENTS_JSON_FIND_H

#include "../base/buf.h"

struct JsonText;
struct JsonText *json_text_read(const char *text, size_t size); /* NULL: it is no JSON */
/* path: names and indices, "members.0.state", -1 is the last. False where nothing is there. Scalars
 * are appended to `out` as they are written, texts without quotes; objects and lists as JSON. */
bool json_text_find(const struct JsonText *json, const char *path, struct Buf *out);
void json_text_free(struct JsonText *json); /* accepts NULL */

#endif
