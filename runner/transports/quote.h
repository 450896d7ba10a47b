/* quote.h - words to a command line of the host's shell, values to assignments. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TRANSPORTS_QUOTE_H
#define FD_TRANSPORTS_QUOTE_H

#include "../base/buf.h"
#include "../base/err.h"

/* argv as one line. False, with nothing added, where a word holds CR or LF. */
bool quote_line(struct Buf *out, const char *const *argv) MUST_CHECK;
/* `name=value` and a newline; the value may have lines of its own. `name` is ours. */
void quote_assignment(struct Buf *out, const char *name, const char *value);

#endif
