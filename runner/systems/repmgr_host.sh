# repmgr_host.sh - what repmgr is asked to do on a host of its own: a planned switchover, a registration.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Without single quotes, for it is quoted several times over on its way to the host.
#   sh -c TEXT repmgr look CONFIG             whether repmgr would let this host take over: ready, refused: WHY
#   sh -c TEXT repmgr switch CONFIG SECONDS   this host takes over. It is repmgr's own work: begun, it goes on to its
#       end in a session of its own, whatever becomes of whoever asked for it. Prints one of: switched, incomplete: WHY
#       (the old primary does not follow yet), refused: WHY (nothing was changed), failed: WHY, runs (no end in time),
#       paused: HOW (it ended so, and repmgrd may be paused on some host; it goes on to unpause it for a minute)
#   sh -c TEXT repmgr register CONFIG         what was just started here, a standby or still the primary, is known to
#       repmgr as that: it refuses itself to register what is none, or a primary beside another
verb=$1 config=$2 seconds=${3-0}
unset FD_DIR FD_ID FD_PEER FD_PORT FD_LEASE
quote=$(printf "\047")

refuse() {
    echo "refused: $1"
    [ "$verb" != register ]
    exit
}

data=$(sed -n "s/^[[:space:]]*data_directory[[:space:]]*=[[:space:]]*$quote*\([^$quote#]*[^$quote#[:space:]]\).*/\1/p" \
    "$config" | tail -n 1)
version=$(cat "$data/PG_VERSION" 2>/dev/null) || refuse "$(id -un) cannot read the data_directory that $config names"
case $version in # another user writes it, and it becomes part of the PATH of root
"" | *[!0-9.]*) refuse "$data/PG_VERSION is no version" ;;
esac
PATH=/usr/lib/postgresql/$version/bin:/usr/pgsql-$version/bin:$PATH
owner=$(stat -c %U "$data") group=$(stat -c %G "$data")
[ "$(id -u)" -ne 0 ] || [ "$owner" != root ] || refuse "$data belongs to root, whom repmgr refuses"
cd /
for tool in repmgr setsid flock mktemp setpriv; do
    command -v "$tool" >/dev/null || refuse "there is no $tool here"
done

# As whom the data belongs to, with its keys for ssh: repmgr refuses root.
as() {
    if [ "$(id -u)" -ne 0 ]; then "$@"; else
        setpriv --reuid="$owner" --regid="$group" --init-groups \
            env HOME="$(getent passwd "$owner" | cut -d: -f6)" PATH="$PATH" "$@"
    fi
}

why() {
    sed -n "s/^\(ERROR\|FATAL\): *//p" | tail -n 1 | cut -c 1-200
}

uptime_s() {
    read -r up _ </proc/uptime
    echo "${up%.*}"
}

# It pauses repmgrd for its length, and may leave it so where a host does not answer: then nobody would fail over.
# Column 7 of the status: 0 where repmgrd is not paused, -1 where that is not known.
whole_switch() {
    cat <<\END
exec 9<"$1" >"$2" 2>&1
flock -n 9 || { echo "ERROR: another switchover runs"; echo "ended 3"; exit; }
repmgr -f "$1" standby switchover --siblings-follow --force-rewind 9<&-
ended=$?
is_free() {
    paused=$(timeout 10 repmgr -f "$1" service status --csv 2>/dev/null 9<&- | cut -d, -f7) &&
        [ -n "$paused" ] && ! echo "$paused" | grep -qvx 0
}
frees() {
    is_free "$1" || { timeout 10 repmgr -f "$1" service unpause 9<&- >/dev/null 2>&1 && is_free "$1"; }
}
free=""
if frees "$1"; then free=yes; else echo paused; fi
echo "ended $ended"
tries=0
until [ -n "$free" ] || [ "$tries" -ge 30 ]; do
    sleep 2
    tries=$((tries + 1))
    ! frees "$1" || free=yes
done
END
}

switch() {
    log=$(as mktemp /tmp/faildrill-switchover.XXXXXX) || refuse "no room in /tmp"
    as setsid sh -c "$(whole_switch)" switchover "$config" "$log" >/dev/null 2>&1 </dev/null &
    end=$(($(uptime_s) + seconds))
    until ended=$(as sed -n "s/^ended //p" "$log") && [ -n "$ended" ]; do
        [ "$(uptime_s)" -lt "$end" ] || {
            echo runs
            exit 0
        }
        sleep 0.1
    done
    reason=$(as cat "$log" | why)
    ! as grep -qx paused "$log" || printf "paused: "
    as rm -f "$log"
    case $ended in
    0) echo switched ;;
    22) echo "incomplete: $reason" ;;
    3) refuse "$reason" ;;
    *) echo "failed: ${reason:-repmgr standby switchover ended with $ended}" ;;
    esac
}

# try WORD...: of repmgr, in bounded time.
try() {
    said=$(as timeout 8 repmgr -f "$config" "$@" 2>&1 </dev/null)
}

# As what it runs, and by its name where it follows.
is_known() {
    try node check --role && try node check --upstream
}

case $verb in
look)
    try standby switchover --siblings-follow --force-rewind --dry-run || {
        reason=$(echo "$said" | why)
        refuse "${reason:-repmgr standby switchover --dry-run says no}"
    }
    echo ready
    ;;
switch) switch ;;
register)
    end=$(($(uptime_s) + 10))
    # The switchover looks for the node by its own name among those that stream, and only repmgr gives it that.
    until is_known || { try standby register --force && try standby follow; }; do
        reason=$(echo "$said" | why)
        ! try primary register --force || exit 0
        [ "$(uptime_s)" -lt "$end" ] || {
            ! try node check --role || exit 0 # a standby, as it was; no primary can be asked
            echo "repmgr does not take it back: $reason; by hand: repmgr standby register --force, repmgr standby follow"
            exit 1
        }
        sleep 0.5
    done
    ;;
esac
