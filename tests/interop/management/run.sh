#!/usr/bin/env bash
# The Management API of the real binary by other people's clients: npm `auth0`, `auth0/legacy` and
# `auth0-deploy-cli`, PyPI `auth0-python` 4 and 6, and `schemathesis` by the description that it serves.
#   run.sh [SUITE…]
# Installs what it needs: Python packages into target/, npm packages beside their list, the rest from Debian.
set -euo pipefail
cd "$(dirname "$0")"
project=$(cd ../../.. && pwd)
. "$project/tests/need.sh"
need curl
need openssl
npm ls >/dev/null 2>&1 || npm ci --no-audit --no-fund --silent

# `python NAME`: the interpreter with the packages of `python/NAME.txt`.
python() {
  local list=python/$1.txt venv=$project/target/management-$1
  if ! cmp -s "$list" "$venv/requirements.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    # Not its `pip`, whose first line names the folder that it was made in.
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: -r "$list"
    cp "$list" "$venv/requirements.txt"
  fi
  echo "$venv/bin/python"
}
PYTHON_WITH_AUTH0_4=$(python auth0-python-4)
PYTHON_WITH_AUTH0_6=$(python auth0-python-6)
PYTHON_WITH_SCHEMATHESIS=$(python schemathesis)
export PYTHON_WITH_AUTH0_4 PYTHON_WITH_AUTH0_6 PYTHON_WITH_SCHEMATHESIS

GRANTGATE=$(realpath "${GRANTGATE:-$project/target/release/grantgate}")
export GRANTGATE PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
suites=("$@")
[ $# -gt 0 ] || suites=(test_*.py)
python3 -m unittest --verbose "${suites[@]}"
