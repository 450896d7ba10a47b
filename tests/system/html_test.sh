#!/usr/bin/env bash
# html_test.sh - the pages in a real browser: nothing loads, nothing foreign runs, all is there without script.
# SPDX-License-Identifier: Apache-2.0
# usage: BUILD=build tests/system/html_test.sh      needs chromium; PAGES=FOLDER keeps the pages and pictures
set -uo pipefail

root=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
cd "$root" || exit 2
writer=${BUILD:-build}/tests/golden/reports_test
failed=0
if ! command -v chromium >/dev/null; then
    echo "skip html: chromium is not installed"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pages=${PAGES:-$work/pages}
mkdir -p "$pages"

ok() { echo "ok $1"; }
not_ok() {
    echo "not ok $1: $2"
    failed=1
}
check() { # NAME PROBLEM: passed where PROBLEM is empty
    if [ -z "$2" ]; then ok "$1"; else not_ok "$1" "$2"; fi
}

browser() { # ARGUMENTS: chromium with a profile of its own and nobody to talk to
    timeout -k 5 120 chromium --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
        --user-data-dir="$work/profile" --disable-background-networking --disable-component-update \
        --disable-sync --disable-features=NetworkTimeServiceQuerying --disable-default-apps --disable-extensions --hide-scrollbars "$@" 2>"$work/browser.log"
}
dom() { # PAGE [ARGUMENTS]: what the page became
    local page=$1
    shift
    browser --enable-logging=stderr "$@" --dump-dom "file://$page"
}

for what in --write --hostile --large; do
    "$writer" "$what" "$pages" && continue
    not_ok html_pages_are_written "$writer $what failed"
    exit 1
done

# ---- The text of the pages

problem=
for page in "$pages"/*.html; do
    grep -q "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; " "$page" ||
        problem="${page##*/} has no policy"
done
check html_lets_nothing_load_by_policy "$problem"

problem=
for name in pass fail unnoticed unproven unclear not_undone refused trends; do
    grep -oE '(src|href|action|data|poster|xlink:href)="[^"]*"|@import|url\((http|//)[^)]*' "$pages/$name.html" |
        grep -v '^data-' >"$work/links"
    [ ! -s "$work/links" ] || problem="$name.html refers to $(head -n 1 "$work/links")"
done
check html_refers_to_nothing_outside "$problem"

size=$(stat -c %s "$pages/large.html")
problem=
[ "$size" -lt 300000 ] || problem="$size bytes"
check html_of_a_million_attempts_is_small "$problem"

# ---- In the browser

problem=
for name in pass fail trends not_undone refused; do
    dom "$pages/$name.html" --log-net-log="$work/net.json" >"$work/dom"
    grep -q 'CONSOLE' "$work/browser.log" && problem="$name.html: $(grep -m 1 CONSOLE "$work/browser.log")"
    # The browser's own errands are not the page's.
    grep -oE '"url":"(https?|wss?|ftp)://[^"]*"' "$work/net.json" |
        grep -vE '://[a-z0-9.-]*\.(google|googleapis|gstatic|gvt1)\.com/' >"$work/urls"
    [ ! -s "$work/urls" ] || problem="$name.html asked for $(head -n 1 "$work/urls")"
done
check html_asks_for_nothing_and_its_script_has_no_error "$problem"

problem=
dom "$pages/fail.html" >"$work/dom"
grep -q '<p class="tools"><button' "$work/dom" || problem="the timeline has no buttons"
check html_script_runs_under_its_policy "$problem"

problem=
sed "s|style-src 'unsafe-inline'; script-src 'sha256-[^']*'|style-src 'none'; script-src 'none'|" "$pages/fail.html" >"$pages/bare.html"
dom "$pages/bare.html" >"$work/dom"
grep -q '<p class="tools">' "$work/dom" && problem="the script ran"
for text in 'FAIL' 'redis_primary_dies' 'It did not hold' '8.3-8.5 s' '<svg' 'recovered 8.3-8.5 s' 'redis-3 leads' \
    'Stays changed' 'redundant_within' 'kill proven' 'Lost writes of writes' '735' 'How it is computed'; do
    grep -qF -- "$text" "$work/dom" || problem="'$text' is not there"
done
check html_is_whole_without_script "$problem"

# ---- Texts that would like to run. Once as they are, once without the policy: escaping alone must do.

hostile() { # PAGE: prints what is wrong with it
    local page=$1 dom=$work/hostile.dom
    dom "$page" >"$dom"
    grep -q '</html>' "$dom" || echo "${page##*/}: no page came"
    grep -q 'ranaway' "$dom" && echo "${page##*/}: a payload ran"
    grep -ioE '<(img|iframe|object|embed|link|base|form|input|select|video|audio|math|marquee|template|noscript|foreignobject|animate|a)[ />]' \
        "$dom" | sort -u | sed "s|^|${page##*/}: an element came in: |"
    grep -oE '<[a-zA-Z][^>]* on[a-z]+="?' "$dom" | head -n 1 | sed "s|^|${page##*/}: a handler came in: |"
    [ "$(grep -c '<script' "$dom")" -le 2 ] || echo "${page##*/}: more scripts than ours"
}
problem=
count=0
for page in "$pages"/hostile-*.html; do
    problem+=$(hostile "$page")
    grep -v 'Content-Security-Policy' "$page" >"$work/open-${page##*/}"
    problem+=$(hostile "$work/open-${page##*/}")
    count=$((count + 1))
done
[ "$count" -ge 10 ] || problem+="only $count pages"
check html_runs_no_payload "$(head -n 8 <<<"$problem")"

# ---- For the eye, where somebody wants to look

if [ -n "${PAGES:-}" ]; then
    for name in pass fail trends bare; do
        for scheme in 0 1; do
            browser --blink-settings=preferredColorScheme=$scheme --window-size=1120,2400 \
                --screenshot="$pages/$name-$([ $scheme = 0 ] && echo dark || echo light).png" \
                "file://$(realpath "$pages/$name.html")" >/dev/null
        done
    done
fi
exit "$failed"
