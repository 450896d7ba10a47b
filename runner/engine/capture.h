/* capture.h - a value from the output of a step. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_ENGINE_CAPTURE_H
#define FD_ENGINE_CAPTURE_H

#include "../model/report.h"
#include "../model/scenario.h"

#define CAPTURE_BYTES_MAX 4096

/* Pure. `cut`: the output was longer than what is here, and nothing can be read from it for sure.
 * False where the output has no such value; the message names it. */
bool capture_read(const struct CaptureSpec *spec, const struct Buf *output, struct Arena *arena,
                  struct RunFigure *out, struct Err *err) MUST_CHECK;

/* The same of a column's value; NULL: there is none. */
bool capture_column(const struct CaptureSpec *spec, const char *value, struct Arena *arena,
                    struct RunFigure *out, struct Err *err) MUST_CHECK;

#endif
