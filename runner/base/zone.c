/* zone.c - time zones, from the files of tzdata (RFC 8536). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "zone_rule.h"

#define ZONEINFO "/usr/share/zoneinfo/"
#define DAY_S 86400

enum { FILE_MOST = 64 << 10, HEADER = 44, TYPE_BYTES = 6 };

struct ZoneType {
    int32_t offset;
    const char *name;
};
struct Zone {
    const unsigned char *times; /* big-endian 64 bits each, in order */
    const unsigned char *which; /* for each: the type from then on */
    struct ZoneType *types;
    size_t time_count, type_count;
    bool ruled; /* what comes after the last time */
    struct ZoneRule rule;
};

static int64_t big_endian(const unsigned char *bytes, size_t size)
{
    uint64_t value = (bytes[0] & 0x80) != 0 ? UINT64_MAX : 0;
    for (size_t at = 0; at < size; at++)
        value = value << 8 | bytes[at];
    return (int64_t)value;
}

struct Header {
    size_t utc, standard, leaps, times, types, letters;
};

static bool read_header(const unsigned char *bytes, size_t size, struct Header *out)
{
    if (size < HEADER || memcmp(bytes, "TZif", 4) != 0 || bytes[4] < '2')
        return false;
    size_t *counts[] = {&out->utc,   &out->standard, &out->leaps,
                        &out->times, &out->types,    &out->letters};
    for (size_t at = 0; at < 6; at++) {
        *counts[at] = (size_t)(big_endian(bytes + 20 + 4 * at, 4) & UINT32_MAX);
        if (*counts[at] > FILE_MOST)
            return false;
    }
    return true;
}

static size_t body_size(const struct Header *header, size_t time_bytes)
{
    return header->times * (time_bytes + 1) + header->types * TYPE_BYTES + header->letters +
           header->leaps * (time_bytes + 4) + header->standard + header->utc;
}

static bool read_types(struct Zone *zone, const struct Header *header, const unsigned char *types,
                       struct Arena *arena)
{
    const char *letters =
        arena_bytes(arena, (const char *)types + header->types * TYPE_BYTES, header->letters);
    zone->types = arena_zero(arena, header->types, sizeof *zone->types);
    zone->type_count = header->types;
    for (size_t at = 0; at < header->types; at++, types += TYPE_BYTES) {
        if (types[5] >= header->letters)
            return false;
        zone->types[at] =
            (struct ZoneType){.offset = (int32_t)big_endian(types, 4), .name = letters + types[5]};
    }
    for (size_t at = 0; at < header->times; at++)
        if (zone->which[at] >= header->types)
            return false;
    return header->types > 0;
}

/* Between two newlines behind the second body; empty where nobody knows what comes. */
static bool read_rule(struct Zone *zone, const char *bytes, size_t size, struct Arena *arena)
{
    const char *end = size > 1 ? memchr(bytes + 1, '\n', size - 1) : NULL;
    if (end == NULL || bytes[0] != '\n')
        return false;
    const char *text = arena_bytes(arena, bytes + 1, (size_t)(end - bytes - 1));
    zone->ruled = text[0] != '\0';
    return !zone->ruled || zone_rule_parse(text, arena, &zone->rule);
}

const struct Zone *zone_parse(const void *bytes, size_t size, struct Arena *arena)
{
    struct Header header;
    const unsigned char *at = (const unsigned char *)arena_bytes(arena, bytes, size);
    if (!read_header(at, size, &header) || HEADER + body_size(&header, 4) > size)
        return NULL;
    size_t skipped = HEADER + body_size(&header, 4); /* the same in 32 bits */
    at += skipped;
    size -= skipped;
    if (!read_header(at, size, &header) || HEADER + body_size(&header, 8) > size)
        return NULL;
    struct Zone *zone = arena_zero(arena, 1, sizeof *zone);
    zone->times = at + HEADER;
    zone->time_count = header.times;
    zone->which = zone->times + 8 * header.times;
    size_t whole = HEADER + body_size(&header, 8);
    if (!read_types(zone, &header, zone->which + header.times, arena) ||
        !read_rule(zone, (const char *)at + whole, size - whole, arena))
        return NULL;
    return zone;
}

const struct Zone *zone_read(const char *name, struct Arena *arena)
{
    char path[256];
    static const char LETTERS[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_+-";
    if (name[0] == '\0' || name[0] == '/' || name[strspn(name, LETTERS)] != '\0' ||
        (size_t)snprintf(path, sizeof path, "%s%s", ZONEINFO, name) >= sizeof path)
        return NULL;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return NULL;
    char *bytes = arena_zero(arena, 1, FILE_MOST);
    size_t size = fread(bytes, 1, FILE_MOST, file);
    bool whole = ferror(file) == 0 && size < FILE_MOST;
    fclose(file);
    return whole ? zone_parse(bytes, size, arena) : NULL;
}

const char *zone_here(struct Arena *arena)
{
    char link[256];
    const char *set = getenv("TZ");
    if (set != NULL && set[0] != '\0')
        return arena_text(arena, set + (set[0] == ':' ? 1 : 0));
    ssize_t size = readlink("/etc/localtime", link, sizeof link - 1);
    link[size > 0 ? size : 0] = '\0';
    const char *name = strstr(link, "zoneinfo/");
    return name != NULL ? arena_text(arena, name + strlen("zoneinfo/")) : "UTC";
}

/* The number of times that have come. */
static size_t times_until(const struct Zone *zone, int64_t seconds)
{
    size_t low = 0, high = zone->time_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (big_endian(zone->times + 8 * middle, 8) <= seconds)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct ZoneType type_at(const struct Zone *zone, int64_t seconds)
{
    size_t come = times_until(zone, seconds);
    if (come == zone->time_count && zone->ruled) {
        bool summer = zone_rule_is_summer(&zone->rule, seconds);
        return (struct ZoneType){summer ? zone->rule.summer_offset : zone->rule.offset,
                                 summer ? zone->rule.summer_name : zone->rule.name};
    }
    return zone->types[come > 0 ? zone->which[come - 1] : 0];
}

void zone_time(const struct Zone *zone, struct Wall at, struct ZoneTime *out)
{
    int64_t seconds = at.ns / NS_PER_S - (at.ns % NS_PER_S < 0 ? 1 : 0);
    struct ZoneType type = type_at(zone, seconds);
    int64_t local = seconds + type.offset;
    int64_t days = local / DAY_S - (local % DAY_S < 0 ? 1 : 0);
    *out = (struct ZoneTime){.offset = type.offset, .name = type.name};
    out->minute = (int)((local - days * DAY_S) / 60);
    out->weekday = (int)(((days + 4) % 7 + 7) % 7); /* 1970 began on a Thursday */
    date_of(days, &out->year, &out->month, &out->day);
}
