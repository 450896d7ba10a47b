/* picture_parts.h - what the files of the picture share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_REPORTS_PICTURE_PARTS_H
#define FD_REPORTS_PICTURE_PARTS_H

#include "picture.h"

#define PICTURE_WIDTH 1000
#define PICTURE_LEFT 150
#define PICTURE_RIGHT 984
#define PICTURE_TOP 33
#define LANE_HEIGHT 96

struct Plot {
    const struct Report *report;
    const struct View *view;
    struct Buf *out;
};
double plot_x(const struct Plot *plot, struct Mono at); /* cut to the drawing */
bool plot_shows(const struct Plot *plot, struct Mono at);

/* One probe's attempts in columns. */
struct Column {
    int64_t least_ns, most_ns; /* latency of answers; most -1: none in it */
    uint32_t failed, unasked;
};
/* The caller frees *out with mem_free; returns how many. */
size_t columns_of(const struct Plot *plot, const struct ProbeResult *probe, struct Column **out);

/* picture_lane.c: one probe at height `top`. */
void lane_write(const struct Plot *plot, const struct ProbeResult *probe, double top);
/* A line with two ends and its length above it. */
struct Dimension {
    struct Mono from, to;
    double y;
    const char *text;
    bool open; /* no end was seen */
};
void dimension_write(const struct Plot *plot, const struct Dimension *dimension);

#endif
