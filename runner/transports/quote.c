/* quote.c - words to a command line of the host's shell, values to assignments. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "quote.h"

#include "../model/procedure.h"

bool quote_line(struct Buf *out, const char *const *argv)
{
    struct Buf line = BUF(out->max);
    bool good = true;
    for (size_t i = 0; argv[i] != NULL && good; i++) {
        if (i > 0)
            buf_char(&line, ' ');
        good = shell_quote(&line, argv[i]);
    }
    if (good)
        buf_add(out, line.text, line.size);
    buf_free(&line);
    return good;
}

void quote_assignment(struct Buf *out, const char *name, const char *value)
{
    buf_put(out, name);
    buf_char(out, '=');
    shell_text(out, value);
    buf_char(out, '\n');
}
