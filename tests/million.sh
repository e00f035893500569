#!/usr/bin/env bash
# What very many grants take: `check`, `diff` and `access` by the real binary, with time and memory of each.
#   million.sh [GRANTS]
set -euo pipefail
cd "$(dirname "$0")"
grants=${1:-1000000}
GRANTGATE=$(realpath "${GRANTGATE:-../target/release/grantgate}")
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
python3 million.py "$folder/old" --grants "$grants"
python3 million.py "$folder/new" --grants "$grants" --without 1000

# `measured CODE VERB …`: runs a verb, which has to end so; what it prints is in `printed`.
measured() {
  python3 - "$folder/printed" "$GRANTGATE" "$@" <<'PYTHON'
import os, resource, subprocess, sys, time
printed, program, code, *words = sys.argv[1:]
begin = time.monotonic()
with open(printed, "w") as out:
    ended = subprocess.run([program, *words], stdout=out).returncode
seconds, most = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(f"{words[0]}: {seconds:.1f} s, {most / 1e6:.2f} GB", flush=True)
sys.exit(0 if ended == int(code) else f"{words[0]} ended with {ended}, not {code}")
PYTHON
}

measured 0 check --config "$folder/old"
measured 0 diff "$folder/old" "$folder/new" --format json
grep -q "\"callers_losing\": *[1-9]" "$folder/printed"
measured 1 diff "$folder/old" "$folder/new" --format json --fail-on change
measured 0 access --config "$folder/old" --format csv
rows=$(($(wc -l <"$folder/printed") - 1))
if [ "$rows" -lt "$grants" ]; then
  echo "access shows $rows rows of $grants grants" >&2
  exit 1
fi
