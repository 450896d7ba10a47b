/* procedure_fill.h - a captured value in the commands of a fault, before and after it is known. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_PROCEDURE_FILL_H
#define FD_MODEL_PROCEDURE_FILL_H

#include "../base/err.h"
#include "procedure.h"

/* "@TOKEN:NAME@", which the plan has in the place of the value: nobody knows the token before. */
const char *capture_mark(const struct Token *token, const char *name, struct Arena *arena);
/* A copy with each mark replaced by its value (of struct TextPair), quoted as a word of sh: data,
 * never text. False where one is not known, or holds a secret's value; nothing was done then. */
bool procedure_fill(const struct Procedure *procedure, const struct Token *token,
                    const struct List *captured, struct Arena *arena, struct Procedure *out,
                    struct Err *err) MUST_CHECK;

#endif
