#!/usr/bin/env bash
# Attacks the program with clients that take their time, in heads, bodies, ranges and reading: all of
# them are cut, and meanwhile others are served. All on loopback, 150 connections for 20 seconds at most.
# Installs slowhttptest where it is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

. tests/need.sh
need slowhttptest
grantgate=${GRANTGATE:-target/release/grantgate}
folder=$(mktemp -d)
started=()
finish() {
  kill "${started[@]}" 2>/dev/null || true
  wait
  rm -r "$folder"
}
trap finish EXIT

python3 tests/slow-upstream.py >"$folder/upstream" &
started+=($!)
until upstream=$(grep -s . "$folder/upstream"); do sleep 0.1; done

cat >"$folder/gateway.yaml" <<CONFIGURATION
server: {listen: "127.0.0.1:0", workers: 2, drain_delay: 0s}
health: {listen: "127.0.0.1:0"}
limits: {connections: 1000}
timeouts: {header_read: 3s, body_read: 3s, response_write: 3s, idle: 3s}
log: {records: false}
issuers: [{issuer: "https://issuer.example/", profile: auth0, jwks: {keys: []}}]
resource_servers:
  - identifier: https://api.example
    scopes: []
    subject_type_authorization: {user: {policy: deny_all}, client: {policy: deny_all}}
    gate: {upstream: "http://127.0.0.1:$upstream", operations: [{on: "GET,HEAD,POST /open/*", public: true}]}
client_grants: []
CONFIGURATION
"$grantgate" run --config "$folder/gateway.yaml" 2>"$folder/log" &
started+=($!)
until grep -qs 'traffic=' "$folder/log"; do
  kill -0 "${started[-1]}"
  sleep 0.1
done
traffic=$(grep -o 'traffic=[0-9.:]*' "$folder/log" | cut -d= -f2)
health=$(grep -o 'health="\?[0-9.:]*' "$folder/log" | grep -o '[0-9.]*:[0-9]*')

# The sum of the metric whose line contains the words.
count() {
  curl -s "http://$health/metrics" | awk -v of="$1" 'index($0, of) {sum += $NF} END {print sum + 0}'
}

# Somebody else, who is served all the time.
(
  trap 'exit 0' TERM
  while :; do
    curl -s -o "$folder/answer" -m 3 "http://$traffic/open/small" && echo served || echo failed
    sleep 0.05
  done >"$folder/others"
) &
started+=($!)

# Attacks until the metric has counted each attacker, which must be before the attack is over.
attack() {
  local name=$1 metric=$2 before attackers
  shift 2
  before=$(count "$metric")
  slowhttptest -c 150 -r 150 -l 20 -p 3 "$@" >"$folder/$name" 2>&1 &
  attackers=$!
  until [ $(($(count "$metric") - before)) -ge 150 ]; do
    if ! kill -0 "$attackers" 2>/dev/null; then
      [ $(($(count "$metric") - before)) -ge 150 ] && break
      tail -n 20 "$folder/$name" >&2
      echo "slow $name: only $(($(count "$metric") - before)) of 150 were cut" >&2
      exit 1
    fi
    sleep 0.2
  done
  kill "$attackers" 2>/dev/null || true
  wait "$attackers" || true
  echo "slow $name: over"
}

# A byte every second: only a bound on the whole tells it from a client that is merely far away.
attack heads 'connection_errors_total{kind="timeout"}' -H -i 1 -u "http://$traffic/open/small"
attack bodies 'code="request-timeout"' -B -i 1 -s 100000 -u "http://$traffic/open/small"
attack reads 'connection_errors_total{kind="timeout"}' \
  -X -w 1 -y 64 -n 1 -z 8 -k 3 -u "http://$traffic/open/large"
# Served as any other: ranges are for the upstream to read.
attack ranges 'requests_total' -R -u "http://$traffic/open/small"

failed=$(grep -c failed "$folder/others" || true)
served=$(grep -c served "$folder/others" || true)
if [ "$failed" -gt 0 ] || [ "$served" -lt 20 ]; then
  echo "others: $served served, $failed failed" >&2
  exit 1
fi
echo "others: all of $served requests served"
