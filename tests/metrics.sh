#!/usr/bin/env bash
# Lints the metrics of a running gate with Prometheus' own tool, before and after requests, a reload and a
# configuration that is refused. Fetches the tool from Debian into target/ where there is none.
set -euo pipefail
cd "$(dirname "$0")/.."
grantgate=${GRANTGATE:-target/release/grantgate}

tools=target/metrics-tools
promtool=$(command -v promtool || echo "$tools/usr/bin/promtool")
if [ ! -x "$promtool" ]; then
  mkdir -p "$tools"
  # The tool alone: installed, the package would start a server.
  (cd "$tools" && { apt-get download -qq prometheus 2>/dev/null || { apt-get update -qq && apt-get download -qq prometheus; }; } &&
    dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool)
fi

folder=$(mktemp -d)
gate=
trap '[ -z "$gate" ] || kill "$gate"; rm -r "$folder"' EXIT

write() { # write OWNER
  cat >"$folder/gateway.yaml" <<YAML
server: {listen: "127.0.0.1:0", workers: 1, drain_delay: 0s}
health: {listen: "127.0.0.1:0"}
admin: {listen: "127.0.0.1:0"}
issuers: [{issuer: "https://issuer.example/", profile: auth0, jwks_uri: "http://127.0.0.1:9/"}]
resource_servers:
  - identifier: https://orders.example.com/"quoted\\
    scopes: [{value: "read:orders"}]
    subject_type_authorization: {user: {policy: deny_all}, client: {policy: require_client_grant}}
    gate: {upstream: "http://127.0.0.1:9", operations: [{on: "GET /orders", scopes: ["read:orders"]}, {on: "GET /open", public: true}]}
client_grants: [{client_id: app, scope: ["read:orders"], owner: $1}]
YAML
}

says() { # says TEXT: waits for a line of the log
  for _ in $(seq 600); do
    if grep -q -- "$1" "$folder/log"; then return; fi
    sleep 0.1
  done
  cat "$folder/log" >&2
  return 1
}

lint() {
  curl --silent --fail "http://$health/metrics" >"$folder/metrics"
  # It says what it does not like, and may end well all the same.
  "$promtool" check metrics <"$folder/metrics" >"$folder/lint" 2>&1 || { cat "$folder/lint"; return 1; }
  if [ -s "$folder/lint" ]; then cat "$folder/lint"; return 1; fi
}

write first
"$grantgate" run --config "$folder/gateway.yaml" >/dev/null 2>"$folder/log" &
gate=$!
says ' listening '
health=$(sed -n 's/.* health="\([^"]*\)".*/\1/p' "$folder/log")
traffic=$(sed -n 's/.* traffic=\([^ ]*\).*/\1/p' "$folder/log")
lint
for path in /orders /open /nowhere /%zz; do curl --silent --output /dev/null "http://$traffic$path"; done
curl --silent --output /dev/null --header 'Authorization: Bearer a.b.c' "http://$traffic/orders"
write second
kill -HUP "$gate"
says 'configuration applied.*generation=2'
echo 'client_grants: [' >"$folder/gateway.yaml"
kill -HUP "$gate"
says 'configuration refused'
lint
for metric in gate_seconds_count upstream_seconds_count config_reloads_total requests_total keys_refreshes_total; do
  grep -q "^grantgate_$metric" "$folder/metrics" || { echo "no grantgate_$metric" >&2; exit 1; }
done
"$grantgate" health --address "$health"
echo 'metrics: clean'
