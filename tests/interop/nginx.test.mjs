// A real nginx behind the gate: with TLS and client certificates, and behind a unix socket.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { request } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startGate } from './gate.mjs';
import { startNginx } from './nginx.mjs';
import { authority, certificate } from './system.mjs';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'grantgate-nginx-'));
const file = (name) => path.join(folder, name);
let nginx, gate;

const answer = '"$ssl_protocol|$ssl_client_s_dn|$ssl_session_reused|$http_host|$request_uri"';
const servers = ([modern, old, small]) => `
  ssl_certificate server.crt;
  ssl_certificate_key server.key;
  ssl_client_certificate clients.crt;
  ssl_verify_client on;
  ssl_protocols TLSv1.2 TLSv1.3;
  server { listen 127.0.0.1:${modern} ssl; location / { return 200 ${answer}; } }
  server { listen 127.0.0.1:${old} ssl; ssl_protocols TLSv1.2; keepalive_requests 1; location / { return 200 ${answer}; } }
  server { listen 127.0.0.1:${small} ssl; client_max_body_size 1k; location / { proxy_pass http://unix:${file('plain.sock')}; } }
  server { listen unix:${file('plain.sock')}; location / { return 200 ${answer}; } }
`;

const api = (name, upstream, tls) => `
  - identifier: https://${name}.example
    scopes: [{value: read}]
    subject_type_authorization: {user: {policy: deny_all}, client: {policy: deny_all}}
    gate:
      hosts: [${name}.example]
      hs_secret: "\${file:${file('secret')}}"
      upstream: ${upstream}
      ${tls}
      operations: [{on: "GET,POST /*", public: true}]`;

const shown = (client) => `cert: ${file(`${client}.crt`)}, key: ${file(`${client}.key`)}`;
const secure = (name, port, more) =>
  api(name, `https://localhost:${port}`, `upstream_tls: {ca: ${file('ca.crt')}${more}}`);

const configuration = (ports) => `
server: {listen: "127.0.0.1:0", drain_delay: 0s}
health: {listen: "127.0.0.1:0"}
issuers: [{issuer: "https://issuer.example/", profile: auth0, jwks: {keys: []}}]
resource_servers:
${secure('modern', ports[0], `, ${shown('gate')}`)}
${secure('old', ports[1], `, ${shown('gate')}`)}
${secure('small', ports[2], `, ${shown('gate')}`)}
${secure('without', ports[0], '')}
${secure('stranger', ports[0], `, ${shown('stranger')}`)}
${secure('misnamed', ports[0], `, ${shown('gate')}, server_name: orders.internal`)}
${api('socket', `unix:${file('plain.sock')}`, '')}
client_grants: []
`;

before(async () => {
  fs.writeFileSync(file('secret'), 's'.repeat(32));
  for (const name of ['ca', 'next-ca', 'clients']) authority(folder, name);
  certificate(folder, 'server', 'ca');
  certificate(folder, 'gate', 'clients');
  certificate(folder, 'stranger', 'ca');
  nginx = await startNginx(folder, 3, servers);
  gate = await startGate(configuration(nginx.ports));
});
after(async () => {
  const code = await gate?.stop();
  await nginx?.stop();
  fs.rmSync(folder, { recursive: true });
  assert.equal(code, 0, 'the gate ends cleanly on SIGTERM');
});

// Node's fetch sets the Host by itself.
function call(name, target = '/orders/1', body) {
  const { hostname, port } = new URL(gate.url);
  const options = { hostname, port, path: target, agent: false, method: body ? 'POST' : 'GET', headers: { host: `${name}.example` } };
  return new Promise((resolve, reject) => {
    const sent = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (data) => { text += data; });
      response.on('end', () => resolve({ status: response.statusCode, text, parts: text.split('|') }));
    });
    sent.on('error', reject).end(body);
  });
}

test('nginx sees the certificate of the gate and the host as the client wrote it', async () => {
  const { status, parts } = await call('modern');
  assert.deepEqual([status, ...parts], [200, 'TLSv1.3', 'CN=gate', '.', 'modern.example', '/orders/1']);
});

test('TLS 1.2 is spoken where there is no newer one, and sessions are resumed', async () => {
  // Each worker of the gate has connections of its own; sessions are shared.
  const answers = [];
  for (let count = 0; count < 4; count += 1) answers.push((await call('old')).parts);
  assert.deepEqual(answers.map(([version]) => version), Array(4).fill('TLSv1.2'));
  assert.deepEqual(answers.map(([, , reused]) => reused), ['.', 'r', 'r', 'r']);
});

test('without its certificate, or with one of another authority, nginx refuses', async () => {
  for (const name of ['without', 'stranger']) {
    const { status, text } = await call(name);
    assert.equal(status, 400, text);
    assert.match(text, /SSL certificate/);
  }
});

test('nginx that has another name is not asked, and the log says why', async () => {
  const { status, text } = await call('misnamed');
  assert.deepEqual([status, JSON.parse(text).code], [502, 'upstream-unreachable']);
  await gate.seen(/its certificate is not for `orders\.internal`/);
});

test('an upload that nginx refuses early gets its answer', async () => {
  const { status } = await call('small', '/orders/1', 'x'.repeat(300_000));
  assert.equal(status, 413);
});

test('nginx behind a socket is asked in the clear', async () => {
  const { status, parts } = await call('socket', '/orders/1?a=%2F');
  assert.deepEqual([status, ...parts], [200, '', '', '', 'socket.example', '/orders/1?a=%2F']);
});

test('an authority is rotated without a restart, on both sides', async () => {
  assert.equal((await call('modern')).status, 200);
  certificate(folder, 'server', 'next-ca');
  await nginx.reload();
  await gate.replace(file('ca.crt'), fs.readFileSync(file('next-ca.crt'), 'utf8'), /configuration applied/);
  assert.equal((await call('modern')).status, 200);
  await gate.replace(file('ca.crt'), fs.readFileSync(file('clients.crt'), 'utf8'), /configuration applied/);
  // The log names one trouble a second: asked until this one is told.
  let told = false;
  const seen = gate.seen(/its certificate is of an authority that is not trusted here/).then(() => { told = true; });
  while (!told) assert.equal((await call('modern')).status, 502, 'kept connections are of the authority of before');
  await seen;
});
