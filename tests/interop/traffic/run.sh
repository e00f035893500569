#!/usr/bin/env bash
# Every kind of traffic through the real binary, by other people's clients and servers: gRPC, WebSocket,
# streams of events, large bodies, idle connections, and an end under load.
#   run.sh [SUITE…]            small, as in CI; GRANTGATE_FULL=1: 1 GiB bodies, 10,000 connections
# Installs what it needs: Python packages into target/, npm packages beside their list, the rest from Debian.
set -euo pipefail
cd "$(dirname "$0")"
project=$(cd ../../.. && pwd)
. "$project/tests/need.sh"
need curl
need openssl
need nghttp nghttp2-client
[ -d ../node_modules/ws ] || (cd .. && npm ci --no-audit --no-fund --silent)

venv=$project/target/traffic-python
if ! cmp -s requirements.txt "$venv/requirements.txt"; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  # Not its `pip`, whose first line names the folder that it was made in.
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: -r requirements.txt
  cp requirements.txt "$venv/"
fi

GRANTGATE=$(realpath "${GRANTGATE:-$project/target/release/grantgate}")
export GRANTGATE PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
suites=("$@")
[ $# -gt 0 ] || suites=(test_*.py)
"$venv/bin/python" -m unittest --verbose "${suites[@]}"
