# redis_host.sh - what the scripts for the host of a Redis share; each is embedded behind it.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154
# Without single quotes, for it is quoted several times over on its way to the host.
# `config`, `tls` and `own_port` are set when it is used, `address` and `port` of the new primary for write_down.

# value_of WORD FILE: what a configuration says; nothing where there is none.
value_of() {
    sed -n "s/^[[:space:]]*$1[[:space:]]\{1,\}//p" "$2" 2>/dev/null | tail -n 1 |
        sed "s/[[:space:]]*\$//; s/^\"\(.*\)\"\$/\1/"
}

# The password is of this host, and only redis-cli gets it.
redis() {
    secret=$1 server=$2 server_port=$3
    shift 3
    [ -z "$tls" ] || set -- --tls ${ca:+--cacert "$ca"} ${cert:+--cert "$cert"} ${key:+--key "$key"} "$@"
    set -- timeout "${answer_within:-1}" redis-cli -h "$server" -p "$server_port" "$@"
    if [ -n "$secret" ]; then REDISCLI_AUTH=$secret "$@"; else "$@"; fi 2>/dev/null
}

# Every address that a name has, and the name.
addresses_of() {
    echo "$1"
    getent ahosts "$1" 2>/dev/null | cut -d" " -f1
}

# is_one_of ADDRESS NAME...
is_one_of() {
    sought=$(addresses_of "$1")
    shift
    for name; do addresses_of "$name"; done | grep -qxF -e "$sought"
}

read_access() {
    own_secret=$(value_of requirepass "$config")
    ca=$(value_of tls-ca-cert-file "$config")
    cert=$(value_of tls-cert-file "$config")
    key=$(value_of tls-key-file "$config")
}

uptime_s() {
    read -r up _ </proc/uptime
    echo "${up%.*}"
}

# is_its_file FILE: the one of the Redis on our port.
is_its_file() {
    case " $(value_of port "$1") $(value_of tls-port "$1") " in
    *" $own_port "*) ;;
    "   ") [ "$own_port" = 6379 ] ;;
    *) return 1 ;;
    esac
}

# as_owner WORD...: as the user in whose folder the configuration is, who could lead root elsewhere by a link there.
as_owner() {
    uid=$(stat -c %u "$(dirname "$config")")
    [ "$uid" != 0 ] || uid=$(stat -c %u "$config")
    if [ "$(id -u)" -ne 0 ] || [ "$uid" = 0 ]; then
        "$@"
    else
        setpriv --reuid "$uid" --regid "$(stat -c %g "$config")" --clear-groups "$@"
    fi
}

# write_down LINE: in place of whom it follows; empty: nobody. So that it is no primary for an instant. Redis and
# Sentinel rewrite this file in the same way.
write_down() {
    file=$(as_owner readlink -f "$config") && as_owner test -w "$file" && is_its_file "$file" || return 1
    text=$(as_owner grep -viE "^[[:space:]]*(replicaof|slaveof)[[:space:]]" "$file")
    [ $? -le 1 ] && as_owner cp -p "$file" "$file.faildrill" &&
        { [ -z "$text" ] || printf "%s\\n" "$text"; [ -z "$1" ] || printf "%s\\n" "$1"; } | as_owner tee "$file.faildrill" >/dev/null &&
        as_owner mv -f "$file.faildrill" "$file" && return 0
    as_owner rm -f "$file.faildrill"
    return 1
}
