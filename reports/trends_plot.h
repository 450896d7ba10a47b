/* trends_plot.h - every run of a drill as a dot. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_REPORTS_TRENDS_PLOT_H
#define FD_REPORTS_TRENDS_PLOT_H

#include "trends.h"

/* All environments of the row's scenario and probe on one axis, each with its own median line;
 * drawn once, for the first row of them. Legible without style. */
void trends_plot(const struct Trends *trends, size_t row, struct Buf *out);

#endif
