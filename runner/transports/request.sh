# request.sh - an HTTP request sent by the host itself, and what its answer means.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2015
# Stands behind files.sh; functions only. In a fault's folder:
#   sh service request VERB METHOD URL BODY FROM STATUSES CONTAINS [HEADER...]
# FROM is a file of this host with more headers; STATUSES are those that are good, '' means 2xx.

# Sets `status`, 000 where there was no answer; the body is in `answer`.
request_send() {
    method=$1 url=$2 body=$3 from=$4 statuses=$5 contains=$6
    shift 6
    count=$#
    while [ "$count" -gt 0 ]; do
        set -- "$@" --header "$1"
        shift
        count=$((count - 1))
    done
    : >answer
    if command -v curl >/dev/null; then
        [ -z "$from" ] || set -- "$@" --header "@$from"
        [ -z "$body" ] || set -- "$@" --data-binary @-
        status=$(printf %s "$body" | curl -q -sS --globoff --noproxy '*' --proto '=http,https' \
            --max-time 10 -X "$method" -o answer -w '%{http_code}' "$@" --url "$url" 2>said) ||
            status=000
    elif [ -n "$from" ]; then
        status=000
        echo "headers_from needs curl on this host (apt-get install curl)" >said
    else
        [ -z "$body" ] || set -- "$@" --body-data "$body"
        wget --no-config -q -S -t 1 -T 10 --max-redirect 0 --no-proxy --content-on-error \
            --method "$method" -O answer "$@" "$url" 2>said
        status=$(awk '/^ *HTTP\// { status = $2 } END { print status }' said)
        status=${status:-000}
    fi
}

request_said() {
    echo "$method $url answered $status: $(head -c 200 answer | tr -c ' -~' ' ')" \
        "$(head -c 200 said 2>/dev/null | tr -c ' -~' ' ')"
}

request_is_good() {
    case " $statuses " in
    '  ') case $status in 2??) ;; *) return 1 ;; esac ;;
    *" $status "*) ;;
    *) return 1 ;;
    esac
    [ -z "$contains" ] || grep -qF -e "$contains" answer
}

# Sets `known`: whoever refuses, redirects or breaks has not said no.
request_ask() {
    request_send "$@"
    known=no
    if request_is_good; then
        known=yes
    else
        case $status in
        000 | 3?? | 401 | 403 | 407 | 408 | 421 | 429 | 5??) known=unknown ;;
        esac
    fi
}

# Not there yet, and this host can ask.
request_save() {
    command -v curl >/dev/null || command -v wget >/dev/null ||
        file_fail "this host has neither curl nor wget (apt-get install curl)"
    request_ask "$@"
    [ "$known" != yes ] || file_fail "the proof says that it is so already: $(request_said)"
    [ "$known" != unknown ] || file_fail "the proof cannot be asked: $(request_said)"
}

request_do() {
    request_send "$@"
    request_is_good || file_fail "$(request_said)"
}

request_apply() {
    echo >asked
    request_do "$@"
}

# An API was never asked where neither the folder says so nor, where that is lost, our own store:
# then nothing is undone there, and whether it answers now is no matter.
request_asked() {
    if [ -e scratch ]; then ! never_fired; else [ -e asked ]; fi
}

request_undo() {
    ! request_asked || request_do "$@"
}

request_proof() {
    request_ask "$@"
    [ "$known" = yes ] || request_said
    [ "$known" != no ] || exit 1
    [ "$known" = yes ] || exit 125
}

request_clear() {
    request_asked || return 0
    request_ask "$@"
    [ "$known" = no ] || request_said
    [ "$known" != yes ] || exit 1
    [ "$known" = no ] || exit 125
}

request() {
    verb=$1
    shift
    case $verb in
    save | apply | undo | proof | clear) "request_$verb" "$@" ;;
    *) file_fail "request.sh knows no '$verb'" ;;
    esac
}
