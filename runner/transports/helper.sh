# helper.sh - the node's helper: what may be done through the drill box's key, whoever has it.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154
# `faildrill doctor --helper` prints it whole, with its first line, allow.sh and the values.
#
# What it may do there, whoever asks: a changed runner and a stolen key get no further than this.
# It is the command of the drill box's key, as root:
#   command="/usr/local/sbin/faildrill-node",restrict ssh-ed25519 AAAA... drill box
# A request is a script: assignments, then one of the texts below, by its hash. It is run only if
#   - every assignment is a plain quoted value, of a name and a form that are known here;
#   - its code is one of those texts, byte for byte;
#   - what a fault does and how it is undone (`arm`) stands in /etc/faildrill.allow by its hash, as
#     `faildrill plan --allow` printed it, its kind stands under `kinds`, and it lasts no longer
#     than `longest`. That file is root's alone.
# All else is refused and logged: plain `run` steps, `from:` (ports), crash, reboot, power_off.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
umask 077
# Values of the version that printed it.

helper_refuse() {
    timeout 2 logger -t faildrill -p auth.warning -- "helper refused: $*" </dev/null >/dev/null 2>&1
    echo "faildrill-node refused: $*" >&2
    exit 77
}

# Lines until the code begins; prints "code LINE", "cap CENTISECONDS", then what a fault would run.
# shellcheck disable=SC2016
helper_grammar='
function refuse(why) { print "refused " why; bad = 1; exit }
function number(text, most) { return text ~ /^[0-9]+$/ && length(text) <= 9 && text + 0 <= most }
function token(text) { return text ~ /^[0-9a-z]+$/ && length(text) == 26 }
function fault(text) { return token(substr(text, 1, 26)) && substr(text, 27) ~ /^_[0-9]+$/ && length(text) < 38 }
function known(name, text) {
    if (name ~ /^(FD_ROOT|only)$/) return text == ""
    if (name == "FD_PEER") return text ~ /^[0-9a-fA-F:.]*$/
    if (name == "FD_PORT") return text == "" || number(text, 65535)
    if (name == "FD_TOKEN") return text == "" || token(text)
    if (name == "FD_ID") { id = text; return fault(text) }
    if (name ~ /^(FD_WHAT|FD_WHO|with)$/) return text !~ /[[:cntrl:]]/ && length(text) <= 400
    if (name == "FD_ALLOW") return text ~ /^[A-Za-z0-9_ -]*$/
    if (name == "FD_LONGEST") return number(text, 8640000)
    if (name == "FD_CLASS") return text ~ /^[KPRS]$/
    if (name == "FD_CAP") { if (text + 0 > cap) cap = text + 0; return number(text, 8640000) }
    if (name ~ /^(FD_LEASED|FD_PROOF)$/) return number(text, 8640000)
    if (name ~ /^(FD_EXTEND|FD_LOOK|FD_STICKY|FD_LOOKS)$/) return text ~ /^[01]$/
    if (name == "FD_PLAIN") { fired = text; return text ~ /^(plain|fired)$/ }
    if (name == "FD_ARMED") { armed = text; return text ~ /^[0-9a-f-]*$/ }
    if (name == "form") return text ~ /^(unit|pidfile|exe|container|none)$/
    if (name == "name") return text ~ /^([A-Za-z0-9_\/][A-Za-z0-9_.@:\/\\-]*)?$/
    return 0
}
function ended(name, text, whole, inside,    lines, count, i) {
    if (name ~ /^FD_(SAVE|APPLY|UNDO|PLACE|CLEAR|RENEW)$/ && whole && !inside) {
        procedure = procedure raw
    } else if (name == "FD_VARS" && whole && !inside) {
        count = split(text, lines, "\n")
        for (i = 1; i <= count && !bad; i++) {
            if (!line(lines[i], 1)) refuse("a value that is no assignment")
            if (!bad && !quoted[1]) ended(called[1], value[1], 0, 1)
        }
        if (quoted[1]) refuse("a value that does not end")
    } else if (!known(name, text)) {
        refuse("a value for " name " that is not known here")
    }
}
# One line of assignments; 0 where it is none, 2 where it is the folder of a fault. quoted, name and
# value last over several lines.
function line(rest, inside,    first, at) {
    first = !quoted[inside]
    if (first) {
        if (inside == 0 && rest ~ /^FD_DIR=[$][{]FD_ROOT:-\/run\/faildrill[}]\//)
            return fault(substr(rest, index(rest, "}/") + 2)) ? 2 : 0
        if (rest !~ /^[A-Za-z_]+=/ || rest ~ /^FD_LIB=/) return 0
        at = index(rest, "=")
        called[inside] = substr(rest, 1, at - 1)
        rest = substr(rest, at + 1)
        value[inside] = ""
        begins[inside] = 1
        if (!inside) raw = ""
    } else {
        value[inside] = value[inside] "\n"
    }
    while (rest != "") {
        if (quoted[inside]) {
            at = index(rest, "\047")
            if (!at) { value[inside] = value[inside] rest; break }
            value[inside] = value[inside] substr(rest, 1, at - 1)
            rest = substr(rest, at + 1)
            quoted[inside] = 0
        } else if (substr(rest, 1, 1) == "\047") {
            rest = substr(rest, 2)
            quoted[inside] = 1
        } else if (substr(rest, 1, 2) == "\\\047") {
            value[inside] = value[inside] "\047"
            rest = substr(rest, 3)
        } else if (match(rest, /^[A-Za-z0-9_.\/:@%+,-]+/)) {
            value[inside] = value[inside] substr(rest, 1, RLENGTH)
            rest = substr(rest, RLENGTH + 1)
        } else if (match(rest, /^ [A-Za-z_]+=/)) {
            ended(called[inside], value[inside], 0, inside)
            called[inside] = substr(rest, 2, RLENGTH - 2)
            value[inside] = ""
            begins[inside] = 0
            rest = substr(rest, RLENGTH + 1)
        } else {
            refuse("a value that is not quoted")
            return 1
        }
    }
    return 1
}
{
    found = line($0, 0)
    if (bad) exit
    if (!found) { at_code = NR; exit }
    raw = raw $0 "\n"
    if (found == 1 && !quoted[0]) ended(called[0], value[0], begins[0], 0)
}
END {
    if (bad) exit
    if (!at_code || quoted[0]) { print "refused a request without code"; exit }
    printf "code %d\ncap %d\nfault %s %s %s\n%s", at_code, cap, id, fired == "plain" ? fired : "fired", armed, procedure
}'

# The rights that the file gives to a procedure: its kind, where it stands in column $1.
helper_kind() {
    while read -r word kind arm undo _ || [ -n "$word" ]; do
        [ "$word" = procedure ] || continue
        case $1 in arm) [ "$arm" = "$2" ] ;; *) [ "$undo" = "$2" ] ;; esac || continue
        echo "$kind"
        return
    done </etc/faildrill.allow
    return 1
}

# helper_check SCRIPT: returns only where it may run; prints the line where its code begins, its
# verb, and the fault that it is about, whether that fired, and in which boot. An undo that the file does not name is "by_name".
helper_check() {
    parsed=$(printf '%s\n' "$1" | LC_ALL=C awk "$helper_grammar")
    case $parsed in "code "*) ;; *) helper_refuse "${parsed#refused }" ;; esac
    at=${parsed%%
*}
    cap=$(printf '%s\n' "$parsed" | sed -n '2s/^cap //p')
    does=$(printf '%s\n' "$parsed" | sed 1,3d | sha256sum)
    does=${does%% *}
    code=$(printf '%s\n' "$1" | tail -n "+${at#code }" | sed '$d' | sha256sum)
    verb=$(printf '%s\n' "$helper_codes" | sed -n "s/^${code%% *} //p")
    case $verb in
    '') helper_refuse "code that is not known here" ;;
    arm)
        allow_read || helper_refuse "$why"
        kind=$(helper_kind arm "$does") || helper_refuse "a fault that $allow_file does not name"
        case " $allowed_kinds " in
        *[[:space:]]"$kind"[[:space:]]*) ;;
        *) helper_refuse "$allow_file does not allow $kind" ;;
        esac
        [ "$cap" -gt 0 ] && [ "$cap" -le "$allowed_longest" ] ||
            helper_refuse "$kind for $((cap / 100)) s, at most $((allowed_longest / 100)) s are allowed"
        timeout 2 logger -t faildrill -p auth.notice -- "helper: $kind" </dev/null >/dev/null 2>&1
        ;;
    undo)
        [ "$does" = "$helper_no_undo" ] || { allow_read && helper_kind undo "$does" >/dev/null; } ||
            verb=by_name
        ;;
    *) [ "$does" = "$helper_nothing" ] || helper_refuse "$verb with a fault" ;;
    esac
    echo "${at#code } $verb $(printf '%s\n' "$parsed" | sed -n '3s/^fault //p')"
}

helper_asked=${SSH_ORIGINAL_COMMAND:-}
case $helper_asked in
"$helper_who")
    printf 'fd:who direct\nfd:ssh %s\nfd:end\n' "${SSH_CONNECTION:-}"
    exit
    ;;
"$helper_boot "*) ;;
*) helper_refuse "a command that is none of a drill's" ;;
esac
set -f
# shellcheck disable=SC2086 # two words
set -- ${helper_asked#"$helper_boot "}
set +f
[ $# -eq 2 ] || helper_refuse "a request of $# words"
case $1 in '' | *[!0-9]* | ????????*) helper_refuse "a size that is none" ;; esac
helper_script=$(head -c "$1")
case $helper_script in *"#end $2") ;; *) helper_refuse "a request that was cut off" ;; esac
helper_may=$(helper_check "$helper_script") || exit
# An undo is never refused: what was sent along is left out, and what lies here is undone. Without a
# folder nothing can be looked at: what by the store's word was never armed, or never fired, left
# nothing, and of all else nobody here knows.
case $helper_may in
*' by_name '*)
    read -r helper_at _ helper_id helper_fired helper_armed <<EOF
$helper_may
EOF
    if [ ! -e "/run/faildrill/$helper_id/vars" ]; then
        read -r helper_boot </proc/sys/kernel/random/boot_id
        helper_clear=unknown
        [ "$helper_fired" = fired ] && [ -n "$helper_armed" ] || helper_clear=yes
        printf 'fd:boot %s\nfd:clear %s\nfd:said %s\nfd:end\n' "$helper_boot" "$helper_clear" \
            "its /etc/faildrill.allow does not name this procedure"
        exit
    fi
    helper_script=$(
        printf '%s\n' "$helper_script" | head -n $((helper_at - 1))
        printf 'FD_UNDO=\nFD_CLEAR=\n'
        printf '%s\n' "$helper_script" | tail -n "+$helper_at"
    )
    ;;
esac
exec 3<&0 </dev/null
unset helper_grammar helper_codes
eval "$helper_script"
