#!/usr/bin/env bash
# Gives the browser tests their Chromium and fonts, where that is possible: root on Debian or a relative of it.
# Elsewhere it says what is missing; the tests are then skipped, except in CI (the variable CI is set), where it fails.
set -euo pipefail

if command -v chromium >/dev/null && [ -d /usr/share/fonts/truetype/liberation ]; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends chromium fonts-liberation >/dev/null
    exit 0
fi
echo "The browser tests need chromium and fonts-liberation; on Debian: sudo apt-get install chromium fonts-liberation" >&2
[ -z "${CI:-}" ]
