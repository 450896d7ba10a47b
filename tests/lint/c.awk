# c.awk - the rules of C files that can be seen line by line. Input: floors, banned, then the files.
# SPDX-License-Identifier: Apache-2.0
# Prints FILE:LINE: RULE: what is wrong.

function say(line, rule, text) { print file ":" line ": " rule ": " text }

function folder(path) { sub(/\/[^\/]*$/, "", path); return path }

# "runner/io" and "../base/err.h" give "runner/base/err.h".
function resolved(dir, path) {
    while (sub(/^\.\.\//, "", path)) if (!sub(/\/[^\/]*$/, "", dir)) dir = ""
    return dir == "" ? path : dir "/" path
}

function check_include(line,    path, own, other) {
    own = folder(file)
    if (!(own in floor) || !match(line, /"[^"]+"/)) return
    path = substr(line, RSTART + 1, RLENGTH - 2)
    if (path ~ /\.(sh|py|sql|css|js)\.h$/) return # a text that is compiled in
    other = path ~ /\// ? folder(resolved(own, path)) : own
    if (other == own) return
    if (!(other in floor)) say(FNR, "floors", "\"" path "\" is on no floor of tests/lint/floors")
    else if (floor[other] > floor[own]) say(FNR, "floors", own " includes up: " other)
    else if (floor[other] == floor[own]) say(FNR, "floors", own " includes sideways: " other)
}

function allowed(word,    dirs, n, i) {
    n = split(may[word], dirs, ",")
    for (i = 1; i <= n; i++) if (index(file, dirs[i] "/") == 1) return 1
    return 0
}

# Without strings and comments; a comment may be open from an earlier line.
function bare(line,    at) {
    if (in_comment) {
        at = index(line, "*/")
        if (!at) return ""
        line = substr(line, at + 2)
        in_comment = 0
    }
    if (line !~ /["'\/]/) return line
    gsub(/\\\\/, "", line)
    gsub(/\\["']/, "", line)
    gsub(/'"'/, "''", line)
    gsub(/"[^"]*"/, "\"\"", line)
    while ((at = index(line, "/*")) > 0) {
        if (!match(substr(line, at + 2), /\*\//)) { in_comment = 1; return substr(line, 1, at - 1) }
        line = substr(line, 1, at - 1) " " substr(line, at + 2 + RSTART + 1)
    }
    sub(/\/\/.*/, "", line)
    return line
}

# The signature stands in `head` when a function's brace opens.
function check_params(    text, depth, i, c, n) {
    text = head
    if (!match(text, /\(/) || text ~ /\(void\)[ ]*$/) return
    n = 1
    for (i = RSTART + 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (c == "(") depth++
        else if (c == ")") depth--
        else if (c == "," && depth == 0) n++
    }
    if (n > 6) say(begin, "params", n " parameters; 6 at most: take a struct")
}

function end_file(    most) {
    if (file == "") return
    most = file ~ /^tests\// ? 600 : 400
    if (lines > most) say(lines, "file length", lines " lines; " most " at most")
}

FILENAME ~ /\/floors$/ { if ($0 !~ /^#/) floor[$1] = $2; next }
FILENAME ~ /\/banned$/ {
    if ($0 ~ /^#/) next
    may[$1] = $2
    use[$1] = $0
    sub(/^[^ ]+ +[^ ]+ +/, "", use[$1])
    next
}

FNR == 1 {
    end_file()
    file = FILENAME
    if (root != "") sub("^" root "/", "", file)
    in_comment = 0; begin = 0; head = ""; lines = 0; compiled_in = 0
    name = file
    sub(/.*\//, "", name)
    if (index($0, "/* " name " - ") != 1) say(1, "first line", "says /* " name " - one sentence. */")
}
FNR == 2 && $0 != "/* SPDX-License-Identifier: Apache-2.0 */" && file !~ /\.def$/ {
    say(2, "licence", "the second line is /* SPDX-License-Identifier: Apache-2.0 */")
}
{
    lines = FNR
    if (length($0) > 100) {
        wide = $0
        gsub(/[\200-\277]/, "", wide) # a character counts once, however many bytes it has
        if (length(wide) > 100) say(FNR, "columns", length(wide) " columns; 100 at most")
    }
    if ($0 ~ /[ \t]$/) say(FNR, "blanks", "blanks at the end")
    if ($0 ~ /\t/) say(FNR, "blanks", "a tab")
}
compiled_in && /^ *};/ { say(compiled_in, "text end", "a text that is compiled in ends with 0") }
{ compiled_in = /^#include "[^"]*\.(sh|py|sql|css|js)\.h"$/ ? FNR : 0 }
/^#include "/ { check_include($0) }
/^#/ { head = ""; next }
{
    code = bare($0)
    if (code ~ /\(/ && file !~ /^tests\/lint/) {
        rest = code
        while (match(rest, /[A-Za-z_][A-Za-z_0-9]*[ ]*\(/)) {
            word = substr(rest, RSTART, RLENGTH - 1)
            before = RSTART > 1 ? substr(rest, RSTART - 1, 1) : ""
            rest = substr(rest, RSTART + RLENGTH)
            sub(/ +$/, "", word)
            if ((word in may) && before != "." && before != ">" && !allowed(word))
                say(FNR, "banned", word "(): use " use[word])
        }
    }
    if (code == "{") {
        begin = FNR
        check_params()
        head = ""
    } else if (code ~ /^}/) {
        if (code == "}" && begin && FNR - begin - 1 > 50)
            say(begin, "function length", FNR - begin - 1 " lines; 50 at most")
        begin = 0
        head = ""
    } else if (!begin) {
        if (code ~ /^[ ]*$/ || code ~ /;[ ]*$/) head = ""
        else head = head " " code
    }
}
END { end_file() }
