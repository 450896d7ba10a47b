/* html.h - pages: escaped text, the frame around it, and what may run in it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_REPORTS_HTML_H
#define FD_REPORTS_HTML_H

#include "../runner/base/buf.h"
#include "../runner/base/clock.h"

/* All text from outside goes through these two: & < > " ' are escaped, control and bidi characters
 * made visible. NULL is nothing. Never put it into a URL, a style or an id. */
void html_text(struct Buf *out, const char *text);
void html_lines(struct Buf *out, const char *text); /* newlines stay */

/* <tag>text</tag> */
void html_element(struct Buf *out, const char *tag, const char *text);

/* Head, style and the policy that lets nothing load and only our one script run; then <body><main>.
 */
void html_begin(struct Buf *out, const char *title);
/* The script and the end. `json` (may be NULL) stands in the page as data. */
void html_end(struct Buf *out, const char *json);

#endif
