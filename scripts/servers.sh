#!/usr/bin/env bash
# The tests start a Redis, a PostgreSQL, a haproxy and a Chromium of their own; installs Debian's packages where that is possible,
# without starting their services, else says what to do.
set -euo pipefail

missing=()
command -v redis-server >/dev/null || missing+=(redis-server)
[[ -n ${PG_BIN:-} ]] || compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || missing+=(postgresql)
command -v haproxy >/dev/null || [[ -x /usr/sbin/haproxy ]] || missing+=(haproxy)
command -v chromium >/dev/null || missing+=(chromium)
((${#missing[@]})) || exit 0

if command -v apt-get >/dev/null; then
    if ((EUID == 0)); then
        root=()
    elif sudo -n true 2>/dev/null; then
        root=(sudo)
    else
        echo "Programs are missing that the tests start. Please run:  sudo apt-get install ${missing[*]}" >&2
        exit 1
    fi
    echo "Installing ${missing[*]}" >&2
    # Packages start their services unless a policy forbids it; one that is there already is left as it is.
    policy=/usr/sbin/policy-rc.d
    if [[ ! -e $policy ]]; then
        printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
        "${root[@]}" chmod 755 "$policy"
        trap '"${root[@]}" rm -f "$policy"' EXIT
    fi
    # Nor is a cluster of PostgreSQL made that nobody needs.
    if [[ " ${missing[*]} " == *" postgresql "* && ! -e /etc/postgresql-common/createcluster.conf ]]; then
        "${root[@]}" mkdir -p /etc/postgresql-common
        echo 'create_main_cluster = false' | "${root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
    fi
    "${root[@]}" apt-get update -qq
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    exit 0
fi

echo "Programs are missing that the tests start: ${missing[*]}." >&2
echo "Install them so that redis-server, haproxy and chromium are on the PATH, and PostgreSQL's initdb in" >&2
echo "/usr/lib/postgresql/<version>/bin, or in the folder that PG_BIN names." >&2
exit 1
