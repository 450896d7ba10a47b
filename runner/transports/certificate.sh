# certificate.sh - a certificate like the one of a file, but expired; and what a service shows.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2015,SC2094
# Stands behind files.sh; functions only. In a fault's folder `name` is the first name that the
# certificate is for.

file_serial() {
    openssl x509 -noout -serial 2>/dev/null
}

# Made of the fault's number, so that it is known without any record.
file_our_serial() {
    printf '0FD1%s\n' "$(printf %s "$FD_ID" | sha256sum | cut -c 1-28 | tr a-f A-F)"
}

# Sets `served` to the serial that the service on a port shows, '' where nobody answers.
file_served() {
    name=$(cat name 2>/dev/null)
    for at in 127.0.0.1 "${2:-127.0.0.1}"; do
        served=$(timeout 3 openssl s_client -connect "$at:$1" ${name:+-servername "$name"} \
            </dev/null 2>/dev/null | file_serial)
        [ -z "$served" ] || return 0
    done
}

# Subject, names and key are those of the old one; the issuer too where its key is at hand, else it
# is signed by itself.
file_expired_make() {
    names=$(openssl x509 -in "$real" -noout -ext subjectAltName 2>/dev/null | sed -n \
        '2{s/^ *//;s/IP Address:/IP:/g;s/Registered ID:/RID:/g;p;}')
    name=${names#*DNS:}
    [ "$name" = "$names" ] || echo "${name%%,*}" >name
    file_our_serial >serial
    : >index
    {
        printf '[ca]\ndefault_ca = one\n[one]\ndatabase = %s/index\nserial = %s/serial\n' \
            "$FD_DIR" "$FD_DIR"
        printf 'new_certs_dir = %s\ndefault_md = default\npolicy = any\npreserve = yes\n' "$FD_DIR"
        printf 'unique_subject = no\nx509_extensions = more\n[any]\ncommonName = optional\n'
        printf '[more]\nbasicConstraints = CA:FALSE\n'
        [ -z "$names" ] || printf 'subjectAltName = %s\n' "$names"
    } >ca.conf
    now=$(date +%s)
    from=$(date -u -d "@$((now - 31536000))" +%Y%m%d%H%M%SZ)
    to=$(date -u -d "@$((now - 86400))" +%Y%m%d%H%M%SZ)
    if [ -n "$1" ]; then set -- -cert "$1" -keyfile "$2"; else set -- -selfsign -keyfile "$key"; fi
    openssl x509 -x509toreq -in "$real" -signkey "$key" -out request 2>>log.make >/dev/null &&
        openssl ca -batch -notext -config ca.conf -in request -out expired -startdate "$from" \
            -enddate "$to" "$@" >/dev/null 2>>log.make ||
        file_fail "openssl cannot make it: $(tail -n 2 log.make)"
    rm -f request ca.conf index* serial* log.make ./*.pem
}

# file_expired PATH KEPT KEY CA CA_KEY PORT ADDRESS
file_expired() {
    command -v openssl >/dev/null || file_fail "this host has no openssl (apt-get install openssl)"
    file_over_find "$1" "$2"
    key=${3:-$real}
    grep -q 'BEGIN CERTIFICATE' "$real" && openssl x509 -in "$real" -noout 2>/dev/null ||
        file_fail "$1 holds no certificate in PEM"
    openssl x509 -in "$real" -noout -checkend 0 >/dev/null ||
        file_fail "the certificate in $1 has expired already"
    public=$(openssl pkey -in "$key" -pubout -passin pass: 2>/dev/null) ||
        file_fail "$key holds no private key that can be read: name it as private_key"
    [ "$public" = "$(openssl x509 -in "$real" -noout -pubkey)" ] ||
        file_fail "the private key in $key is not that of the certificate in $1"
    file_expired_make "$4" "$5"
    awk '/-----BEGIN CERTIFICATE-----/ && !done {
            while ((getline line <"expired") > 0) print line
            done = inside = 1
        }
        !inside { print }
        /-----END CERTIFICATE-----/ { inside = 0 }' "$real" >copy && file_sum copy >sum ||
        file_fail "cannot write the copy"
    [ -n "$6" ] || return 0
    file_served "$6" "$7"
    [ -n "$served" ] || file_fail "nobody answers TLS on port $6"
    [ "$served" = "$(file_serial <"$real")" ] ||
        file_fail "port $6 shows another certificate than $1 holds ($served)"
}

# file_expired_place PATH PORT ADDRESS
file_expired_place() {
    file_over_place "$1"
    ! openssl x509 -in "$1" -noout -checkend 0 >/dev/null || file_fail "$1 has not expired"
    [ -n "$2" ] || return 0
    file_served "$2" "$3"
    [ "$served" = "serial=$(file_our_serial)" ] || file_fail "port $2 shows ${served:-no certificate}"
}

# file_expired_clear PATH PORT ADDRESS. A service may take a moment to read it anew; of one that we
# have no record of, it is enough that it does not show ours.
file_expired_clear() {
    file_over_clear "$1"
    file_reloaded
    [ -n "$2" ] || return 0
    look_at_clock
    clear_until=$((now + 500))
    while :; do
        file_served "$2" "$3"
        [ -e was ] || [ "$served" = "serial=$(file_our_serial)" ] || return 0
        [ -z "$served" ] || [ "$served" != "$(file_serial <"$1")" ] || return 0
        look_at_clock
        [ "$now" -lt "$clear_until" ] ||
            file_fail "port $2 shows ${served:-no certificate}, not that of $1"
        nap 0.2
    done
}
