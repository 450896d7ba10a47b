# web.sh - how the set `web` is set up: web servers behind two proxies, and an address that one of these has.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

web_hosts() {
    local n
    for n in 1 2 3; do echo "web web-$n 1$n nginx"; done
    for n in 1 2; do echo "web web-lb-$n 2$n haproxy keepalived"; done
    echo "web web-api-1 31 idle"
}

# nginx_config NAME: pages that say who made them.
nginx_config() {
    cat <<END
daemon off;
pid /tmp/nginx.pid;
worker_processes 1;
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path /tmp/nginx_body;
    proxy_temp_path /tmp/nginx_proxy;
    fastcgi_temp_path /tmp/nginx_fastcgi;
    uwsgi_temp_path /tmp/nginx_uwsgi;
    scgi_temp_path /tmp/nginx_scgi;
    default_type text/plain;
    server {
        listen 8080;
        location / { return 200 "$1\n"; }
    }
}
END
}

# web_proxy_config PREFIX: `shop` is spread over all servers; of `orders` one has it all, the others wait.
web_proxy_config() {
    local n backup=''
    cat <<END
global
    maxconn 2000
defaults
    mode http
    timeout connect 1s
    timeout check 1s
    timeout client 30s
    timeout server 3s
    retries 2
    option redispatch
    option httpchk GET /
    default-server inter 1s fastinter 500ms fall 2 rise 2 on-marked-down shutdown-sessions
listen stats
    bind 0.0.0.0:7000
    stats enable
    stats uri /
    stats show-legends
listen shop
    bind 0.0.0.0:8080
END
    for n in 1 2 3; do echo "    server web-$n $1.1$n:8080 check"; done
    cat <<END
listen orders
    bind 0.0.0.0:8081
END
    for n in 1 2 3; do
        echo "    server web-$n $1.1$n:8080 check$backup"
        backup=' backup'
    done
}

# keepalived_config PREFIX ADDRESS NAME. By unicast, so that no bridge has to know of groups. Who has the address keeps
# it: a former holder that takes it back would be a second outage.
keepalived_config() {
    local peer=$1.21 priority=100
    [ "$2" != "$peer" ] || peer=$1.22 priority=110
    cat <<END
global_defs {
    router_id $3
    script_user root
    enable_script_security
}
vrrp_script proxy {
    script "/etc/lab/proxy_check"
    interval 1
    timeout 2
    fall 2
    rise 2
}
vrrp_instance shop {
    state BACKUP
    nopreempt
    interface eth0
    virtual_router_id 51
    priority $priority
    advert_int 1
    unicast_src_ip $2
    unicast_peer {
        $peer
    }
    virtual_ipaddress {
        $1.100/24 dev eth0
    }
    track_script {
        proxy
    }
}
END
}

# One that hangs is as bad as none: it must answer.
proxy_check() {
    cat <<'END'
#!/bin/bash
exec timeout 1 bash -c 'exec 3<>/dev/tcp/127.0.0.1/7000 && printf "GET / HTTP/1.0\r\n\r\n" >&3 && read -r _ <&3'
END
}

# What a host of the set has on its disk: web_make DIR PREFIX ADDRESS NAME SERVICES
web_make() {
    local etc=$1/disk/etc/lab
    case $5 in
    nginx) nginx_config "$4" >"$etc/nginx.conf" ;;
    idle) ;;
    *)
        web_proxy_config "$2" >"$etc/haproxy.cfg"
        keepalived_config "$2" "$3" "$4" >"$etc/keepalived.conf"
        proxy_check >"$etc/proxy_check"
        chmod 755 "$etc/proxy_check"
        ;;
    esac
}

web_up() {
    local name
    for name in $(hosts_of web); do
        start_services "$name" nginx haproxy idle
    done
    for name in $(hosts_of web); do
        start_services "$name" keepalived
    done
    wait_until 30 web_serves || set_not_ready web "nobody answers at $(net_of web).100, or not each proxy has all servers"
}

web_serves() {
    local n
    for n in 21 22; do
        [ "$(http_get "$(net_of web).$n" 7000 '/;csv' | grep -cE '^(shop|orders),web-.,.*,UP,')" -eq 6 ] || return 1
    done
    [[ $(http_get "$(net_of web).100" 8081 /) == *web-1* ]]
}

# web_rank HOST: for `lab status`.
web_rank() {
    local lab_net
    lab_net=$(<"$state/net")
    if host_exec "$1" ip -o addr show to "$(net_of web).100" | grep -q .; then echo "(holds the address)"; fi
}
