#!/usr/bin/env bash
# Fuzzes what strangers choose the bytes of. Without arguments each target for seconds, from the corpus and
# the same seed each time. `tests/fuzz.sh path -max_total_time=300` runs one for longer, with any of
# libFuzzer's options. Nothing is written to the corpus: what was found is in tests/fuzz/artifacts.
# Installs cargo-fuzz and a C++ compiler where they are missing; needs no nightly Rust, for want of
# sanitizers.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/need.sh
need c++ g++

if ! cargo fuzz --version >/dev/null 2>&1; then
  cargo install --locked --quiet cargo-fuzz@0.13.1
fi
# The versions that are shipped, and no second list of them.
cp Cargo.lock tests/fuzz/Cargo.lock
built=(--fuzz-dir tests/fuzz --sanitizer none --codegen-units 16)
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

# Runs a target with libFuzzer's options; shows what it said.
fuzz() {
  local target=$1
  shift
  mkdir "$folder/$target"
  cat "tests/fuzz/dictionaries/$target" >"$folder/dictionary"
  if [ "$target" = config ]; then
    grep -o '"[A-Za-z_0-9*]*"' config/schema.json | sort -u >>"$folder/dictionary"
  fi
  cargo fuzz run "${built[@]}" "$target" \
    "$folder/$target" "tests/fuzz/corpus/$target" -- \
    -dict="$folder/dictionary" -timeout=10 -rss_limit_mb=1024 "$@"
}

if [ $# -gt 0 ]; then
  fuzz "$@"
  exit
fi

cargo fuzz build "${built[@]}"
for target in tests/fuzz/targets/*.rs; do
  target=$(basename "$target" .rs)
  if ! fuzz "$target" -seed=1 -runs=50000 -max_total_time=10 2>"$folder/log"; then
    grep -A 5 'panicked at' "$folder/log" >&2 || true
    tail -n 20 "$folder/log" >&2
    exit 1
  fi
  echo "fuzz $target: $(grep -o 'Done .*' "$folder/log"), $(grep -o 'cov: [0-9]*' "$folder/log" | tail -n 1)"
done
