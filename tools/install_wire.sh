#!/usr/bin/env bash
# Gives the tests of the wire what they need, where that is possible: root on Debian or a relative of it.
# Elsewhere it says what is missing; those tests are then skipped, except in CI (the variable CI is set), where it fails.
set -euo pipefail

if command -v tshark >/dev/null && command -v ip >/dev/null && command -v unshare >/dev/null; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends \
        tshark iproute2 util-linux curl netcat-openbsd openssl >/dev/null
    exit 0
fi
echo "The tests of the wire need tshark and iproute2; on Debian: sudo apt-get install tshark iproute2" >&2
[ -z "${CI:-}" ]
