# redis_rejoin.sh - starts Redis on the host of a former primary, as a replica where there is a new one.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154
# Behind redis_host.sh, and without single quotes as it.
#   sh -c TEXT rejoin ADDRESS PORT MASTER CONFIG [tls] START "SENTINEL PORT"...
own=$1 own_port=$2 master=$3 config=$4 tls=$5 start=$6
shift 6
unset FD_DIR FD_ID FD_PEER FD_PORT FD_LEASE

# What one Sentinel says: EPOCH ADDRESS PORT QUORUM STATE. down: it gives this primary up, or is about
# to: within a second, the time that it may take to ask again.
read_sentinel() {
    epoch=0 flags="" silent=0 patience=0 quorum=1 state=calm
    read -r address && read -r port || return 0
    while read -r name && read -r value; do
        case $name in
        config-epoch) epoch=$value ;;
        flags) flags=$value ;;
        last-ok-ping-reply) silent=$value ;;
        down-after-milliseconds) patience=$value ;;
        quorum) quorum=$value ;;
        esac
    done
    case $address in "" | *[!0-9a-fA-F.:]*) return 0 ;; esac
    case $port$epoch$silent$patience$quorum in *[!0-9]*) return 0 ;; esac
    [ $((silent + 1200)) -lt "$patience" ] || state=down
    case $flags in *failover*) state=failover ;; *down*) state=down ;; esac
    echo "$epoch $address $port $quorum $state"
}

# Sets address and port as the newest word of the Sentinels has them; empty: nobody answers.
ask_sentinels() {
    said=$(for at; do
        printf "%s\n" "sentinel get-master-addr-by-name $master" "sentinel master $master" |
            redis "$sentinel_secret" "${at% *}" "${at##* }" | read_sentinel &
    done | sort -k1,1nr)
    read -r _ address port quorum _ <<END
$said
END
}

is_failing_over() {
    case $said in *failover*) return 0 ;; esac
    [ "$(echo "$said" | grep -c down)" -ge "${quorum:-1}" ]
}

is_own() {
    [ "$port" = "$own_port" ] || return 1
    case " $own 127.0.0.1 ::1 $(hostname -I 2>/dev/null) " in *" $address "*) return 0 ;; esac
    return 1
}

# Tells Redis itself as soon as it listens; while it loads it is nobody yet.
tell() {
    until=$(($(uptime_s) + 10))
    while [ "$(uptime_s)" -lt "$until" ]; do
        case $(redis "$own_secret" "$own" "$own_port" replicaof "$address" "$port") in
        OK*)
            redis "$own_secret" "$own" "$own_port" config rewrite >/dev/null
            return 0
            ;;
        *LOADING*) [ -z "$written" ] || return 0 ;;
        esac
        sleep 0.02
    done
    [ -n "$written" ] || echo "Redis on $own $own_port could not be made a replica in 10 s"
}

read_access
sentinel_secret=$(value_of requirepass "${config%/*}/sentinel.conf")
address="" port="" written=""
if command -v redis-cli >/dev/null; then
    ask_sentinels "$@"
    # Started into a failover it would be a second primary, and what is written to it would be lost.
    until=$(($(uptime_s) + 6))
    while is_own && is_failing_over && [ "$(uptime_s)" -lt "$until" ]; do
        sleep 0.1
        ask_sentinels "$@"
    done
else
    echo "there is no redis-cli here to ask who leads"
fi

if [ -z "$address" ] || is_own; then
    echo "Redis is started as it is: ${address:-nobody} leads"
    exec sh -c "$start"
fi
write_down "replicaof $address $port" && written=yes
echo "Redis is started as a replica of $address $port${written:+, by $config}"
tell &
if sh -c "$start"; then wait; else
    status=$?
    kill "$!"
    exit "$status"
fi
