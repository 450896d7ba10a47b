/* html.c - pages: escaped text, the frame around it, and what may run in it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "html.h"

#include <stdint.h>
#include <string.h>

#include "../runner/base/text.h"

static const char report_css[] = {
#include "reports/report.css.h"
    0};
static const char report_js[] = {
#include "reports/report.js.h"
    0};

static void escape(struct Buf *out, const char *text, bool keep_lines)
{
    struct Buf seen = BUF(4 << 20);
    if (text != NULL)
        buf_visible(&seen, text, strlen(text), keep_lines);
    for (const char *c = seen.text; *c != '\0'; c++) {
        const char *safe = *c == '&'    ? "&amp;"
                           : *c == '<'  ? "&lt;"
                           : *c == '>'  ? "&gt;"
                           : *c == '"'  ? "&quot;"
                           : *c == '\'' ? "&#39;"
                                        : NULL;
        if (safe != NULL)
            buf_put(out, safe);
        else
            buf_char(out, *c);
    }
    buf_free(&seen);
}

void html_text(struct Buf *out, const char *text)
{
    escape(out, text, false);
}

void html_lines(struct Buf *out, const char *text)
{
    escape(out, text, true);
}

void html_element(struct Buf *out, const char *tag, const char *text)
{
    buf_printf(out, "<%s>", tag);
    html_text(out, text);
    buf_printf(out, "</%s>", tag);
}

static unsigned half_byte(char digit)
{
    return (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

/* The hash by which the policy knows our script: base64 of its SHA-256. */
static void put_hash(struct Buf *out, const char *script)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char hex[65];
    unsigned char hash[33] = {0};
    hash_hex(script, strlen(script), hex);
    for (size_t n = 0; n < 32; n++)
        hash[n] = (unsigned char)(half_byte(hex[2 * n]) << 4 | half_byte(hex[2 * n + 1]));
    for (size_t n = 0; n < 33; n += 3) {
        uint32_t three =
            (uint32_t)hash[n] << 16 | (uint32_t)hash[n + 1] << 8 | (uint32_t)hash[n + 2];
        buf_char(out, letters[three >> 18]);
        buf_char(out, letters[three >> 12 & 63]);
        buf_char(out, letters[three >> 6 & 63]);
        buf_char(out, n + 2 < 32 ? letters[three & 63] : '=');
    }
}

void html_begin(struct Buf *out, const char *title)
{
    buf_put(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                 "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                 "style-src 'unsafe-inline'; script-src 'sha256-");
    put_hash(out, report_js);
    buf_put(out, "'; base-uri 'none'; form-action 'none'\">\n"
                 "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                 "<meta name=\"color-scheme\" content=\"light dark\">\n"
                 "<meta name=\"referrer\" content=\"no-referrer\">\n");
    html_element(out, "title", title);
    buf_printf(out, "\n<style>\n%s</style>\n</head>\n<body>\n<main>\n", report_css);
}

void html_end(struct Buf *out, const char *json)
{
    buf_put(out, "</main>\n");
    if (json != NULL)
        buf_printf(out, "<script type=\"application/json\">\n%s</script>\n", json);
    buf_printf(out, "<script>%s</script>\n</body>\n</html>\n", report_js);
}
