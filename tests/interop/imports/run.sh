#!/usr/bin/env bash
# `import` by what others wrote: published OpenAPI documents of npm packages, and exports of the real `auth0-deploy-cli`.
#   run.sh [SUITE…]
# Installs the npm packages beside their lists, here and for the Management API.
set -euo pipefail
cd "$(dirname "$0")"
project=$(cd ../../.. && pwd)
. "$project/tests/need.sh"
need curl
need openssl
npm ls >/dev/null 2>&1 || npm ci --no-audit --no-fund --silent --ignore-scripts
(cd ../management && { npm ls >/dev/null 2>&1 || npm ci --no-audit --no-fund --silent; })

GRANTGATE=$(realpath "${GRANTGATE:-$project/target/release/grantgate}")
export GRANTGATE PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
suites=("$@")
[ $# -gt 0 ] || suites=(test_*.py)
timeout 300 python3 -m unittest --verbose "${suites[@]}"
