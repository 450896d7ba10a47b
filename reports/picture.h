/* picture.h - the run as one drawing: all probes over one time axis. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_REPORTS_PICTURE_H
#define FD_REPORTS_PICTURE_H

#include "../runner/base/buf.h"
#include "../runner/model/report.h"

/* What part of the run is drawn. */
struct View {
    struct Mono from, to;
    const char *caption;
};
/* Legible without style and script: every shape has its colours as attributes. Drawn in columns, so
 * its size does not grow with the number of attempts; a column in which any attempt failed is red.
 */
void picture_write(const struct Report *report, const struct View *view, struct Buf *out);

#endif
