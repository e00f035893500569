#!/usr/bin/env bash
# Other people's TLS clients against the program: curl and OpenSSL, in both versions, with client
# certificates that are good, bad and missing, in all three modes; and over a unix socket.
# Installs what is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/need.sh
need curl
need openssl

grantgate=${GRANTGATE:-target/release/grantgate}
folder=$(mktemp -d)
gate=
finish() {
  [ -z "$gate" ] || kill "$gate" 2>/dev/null || true
  wait
  rm -r "$folder"
}
trap finish EXIT
cd "$folder"
grantgate=$(cd "$OLDPWD" && realpath "$grantgate")

authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -subj "/CN=$1" -keyout "$1.key" -out "$1.crt" 2>/dev/null
}
# A certificate of an authority, under a name.
certificate() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" \
    -addext "subjectAltName=DNS:$2" -keyout "$2.key" -out "$2.csr" 2>/dev/null
  openssl x509 -req -in "$2.csr" -CA "$1.crt" -CAkey "$1.key" -CAcreateserial -days 2 \
    -copy_extensions copy -out "$2.crt" 2>/dev/null
}
authority ours
authority theirs
certificate ours gate.example
certificate ours good
certificate theirs bad

# Starts the gate, listening as it is told.
start() {
  cat >gateway.yaml <<CONFIGURATION
server: {$1, workers: 1, drain_delay: 0s}
health: {listen: "127.0.0.1:0"}
log: {records: false}
issuers: [{issuer: "https://issuer.example/", profile: auth0, jwks: {keys: []}}]
resource_servers:
  - identifier: https://api.example
    scopes: []
    subject_type_authorization: {user: {policy: deny_all}, client: {policy: deny_all}}
    gate: {upstream: "http://127.0.0.1:1", operations: [{on: "GET /me", any_token: true}]}
client_grants: []
CONFIGURATION
  # What the one before said is not what this one says.
  : >log
  "$grantgate" run --config gateway.yaml 2>>log &
  gate=$!
  until grep -q 'traffic=' log; do
    kill -0 "$gate"
    sleep 0.1
  done
  port=$(grep -o 'traffic=127.0.0.1:[0-9]*' log | grep -o '[0-9]*$' || true)
}
stop() {
  kill "$gate"
  wait "$gate"
  gate=
}

# What becomes of a request: its status, or 000 where there was no answer.
ask() {
  curl -s -o answer -w '%{http_code}' --cacert ours.crt \
    --connect-to "gate.example:443:127.0.0.1:$port" "$@" https://gate.example/me
}
expect() {
  local expected=$1 what=$2 seen
  shift 2
  seen=$("$@" || true)
  if [ "$seen" != "$expected" ]; then
    echo "$what: expected $expected, got $seen" >&2
    exit 1
  fi
}

tls='cert: gate.example.crt, key: gate.example.key'
good='--cert good.crt --key good.key'
bad='--cert bad.crt --key bad.key'
for mode in none optional required; do
  asked="client_ca: ours.crt, client_auth: $mode"
  [ "$mode" != none ] || asked='client_auth: none'
  start "listen: \"127.0.0.1:0\", tls: {$tls, $asked}"
  for version in 1.2 1.3; do
    only="--tlsv$version --tls-max $version"
    # Refused for want of a token: the request came through.
    # shellcheck disable=SC2086
    case $mode in
      none) expected=(401 401 401) ;;
      optional) expected=(401 401 000) ;;
      required) expected=(000 401 000) ;;
    esac
    # shellcheck disable=SC2086
    {
      expect "${expected[0]}" "$mode, TLS $version, no certificate" ask $only
      expect "${expected[1]}" "$mode, TLS $version, a good certificate" ask $only $good
      expect "${expected[2]}" "$mode, TLS $version, a bad certificate" ask $only $bad
    }
  done
  stop
  echo "client_auth $mode: as it should"
done

start "listen: \"127.0.0.1:0\", tls: {$tls, min_version: tls1.3}"
expect 000 'TLS 1.2 where 1.3 is the oldest' ask --tls-max 1.2
expect 401 'TLS 1.3' ask
expect 000 'another name' curl -s -o answer -w '%{http_code}' --cacert ours.crt \
  --connect-to "other.example:443:127.0.0.1:$port" https://other.example/me
expect 400 'plain HTTP' curl -s -o answer -w '%{http_code}' "http://127.0.0.1:$port/me"
openssl s_client -connect "127.0.0.1:$port" -servername gate.example -CAfile ours.crt \
  -verify_return_error -brief </dev/null 2>&1 | grep -q 'TLSv1.3'
stop
echo 'versions and names: as they should'

start "listen: \"unix:$folder/gate.sock\""
expect 401 'a unix socket' curl -s -o answer -w '%{http_code}' --unix-socket gate.sock http://gate.example/me
stop
[ ! -e gate.sock ]
start "listen: \"unix:$folder/gate.sock\", tls: {$tls}"
expect 401 'TLS over a unix socket' curl -s -o answer -w '%{http_code}' --cacert ours.crt \
  --unix-socket gate.sock https://gate.example/me
stop
echo 'unix sockets: as they should'
