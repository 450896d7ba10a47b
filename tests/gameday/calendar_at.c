/* calendar_at.c - reads "SECONDS ZONE|EXPRESSION" lines and says the next dates, in seconds. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../runner/model/calendar.h"

enum { DATES = 4 };

int main(void)
{
    char line[500];
    struct Arena *arena = arena_new("calendar_at", (size_t)1 << 30);
    while (fgets(line, sizeof line, stdin) != NULL) {
        char zone[100], *text = strchr(line, '|');
        int64_t after = 0;
        struct Calendar calendar;
        const char *why = NULL;
        line[strcspn(line, "\n")] = '\0';
        if (text == NULL || sscanf(line, "%" SCNd64 " %99[^|]", &after, zone) != 2)
            return 2;
        if (!calendar_parse(text + 1, arena, &calendar, &why)) {
            printf("refused: %s\n", why);
            continue;
        }
        struct Wall at = {after * NS_PER_S};
        for (int n = 0; n < DATES; n++) {
            at = calendar_next(&calendar, zone_read(zone, arena), at);
            if (at.ns == 0)
                break;
            printf("%s%lld", n > 0 ? " " : "", (long long)(at.ns / NS_PER_S));
        }
        putchar('\n');
    }
    arena_free(arena);
    return 0;
}
