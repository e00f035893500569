// Real load balancers before the gate, which say whose connection they pass on: HAProxy and nginx by the PROXY
// protocol, to a gate that speaks TLS and to one that does not.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startGate, startUpstream } from './gate.mjs';
import { startNginx } from './nginx.mjs';
import { authority, certificate, follow, freePorts, need } from './system.mjs';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'grantgate-balancer-'));
const file = (name) => path.join(folder, name);
// Where clients come from, and where balancers do: all of it is loopback.
const [CLIENT, BALANCER] = ['127.0.0.9', '127.0.0.2'];
const gates = {};
let upstream, haproxy, nginx, ports;

const configuration = (tls) => `
server:
  listen: "127.0.0.1:0"
  drain_delay: 0s
  proxy_protocol_from: [${BALANCER}/32]
  ${tls ? `tls: {cert: "${file('gate.crt')}", key: "${file('gate.key')}"}` : ''}
health: {listen: "127.0.0.1:0"}
issuers: [{issuer: "https://issuer.example/", profile: auth0, jwks: {keys: []}}]
resource_servers:
  - identifier: https://api.example
    subject_type_authorization: {user: {policy: deny_all}, client: {policy: deny_all}}
    gate:
      hs_secret: "\${file:${file('secret')}}"
      upstream: ${upstream.url}
      operations: [{on: "GET /*", public: true}]
client_grants: []
`;

// A real HAProxy that passes connections on, and looks after those behind it; `listens` is its proxies.
async function startHaproxy(listens) {
  const program = need('haproxy');
  fs.writeFileSync(file('haproxy.cfg'), `
    defaults
      mode tcp
      timeout connect 5s
      timeout client 30s
      timeout server 30s
    ${listens}
`);
  const child = spawn(program, ['-db', '-f', file('haproxy.cfg')], { stdio: ['ignore', 'ignore', 'pipe'] });
  const { exited } = follow(child);
  return {
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

const WAYS = [
  { name: 'haproxy-v1', tls: false, send: 'send-proxy' },
  { name: 'haproxy-v2', tls: false, send: 'send-proxy-v2 proxy-v2-options crc32c,unique-id' },
  { name: 'haproxy-v1-tls', tls: true, send: 'send-proxy check-ssl verify none' },
  { name: 'haproxy-v2-tls', tls: true, send: 'send-proxy-v2 check-ssl verify none' },
  { name: 'nginx', tls: false },
  { name: 'nginx-tls', tls: true },
];

const CHECKED = WAYS.filter(({ send }) => send);
const gateOf = ({ tls }) => (tls ? gates.tls : gates.plain);
const checkOf = (way) => gateOf(way).recorded(new RegExp(`"path":"/check/${way.name}"`));

before(async () => {
  authority(folder, 'ca');
  certificate(folder, 'gate', 'ca');
  fs.writeFileSync(file('secret'), 's'.repeat(64));
  upstream = await startUpstream();
  gates.plain = await startGate(configuration(false), { records: true });
  gates.tls = await startGate(configuration(true), { records: true });
  ports = Object.fromEntries((await freePorts(CHECKED.length)).map((port, index) => [CHECKED[index].name, port]));
  haproxy = await startHaproxy(CHECKED.map((way) => `
    listen ${way.name}
      bind 127.0.0.1:${ports[way.name]}
      unique-id-format %ci:%cp
      option httpchk
      http-check send meth GET uri /check/${way.name} hdr host api.example
      server gate ${new URL(gateOf(way).url).host} ${way.send} source ${BALANCER} check inter 100ms fall 1`).join('\n'));
  // Then it listens, too.
  await Promise.all(CHECKED.map(checkOf));
  nginx = await startNginx(folder, 2, () => '', ([plain, tls]) => {
    Object.assign(ports, { nginx: plain, 'nginx-tls': tls });
    return [[plain, gates.plain], [tls, gates.tls]].map(([port, gate]) => `
      server {
        listen 127.0.0.1:${port};
        proxy_pass ${new URL(gate.url).host};
        proxy_bind ${BALANCER};
        proxy_protocol on;
      }`).join('\n');
  });
});
after(async () => {
  await haproxy?.stop();
  await nginx?.stop();
  const codes = [await gates.plain?.stop(), await gates.tls?.stop()];
  upstream?.stop();
  fs.rmSync(folder, { recursive: true });
  assert.deepEqual(codes, [0, 0], 'the gates end cleanly on SIGTERM');
});

// Asks as a client of its own address, and gives what the upstream was told and where we asked from.
function call(port, tls, more = {}) {
  const options = {
    host: '127.0.0.1', port, path: '/orders/1', localAddress: CLIENT, agent: false,
    ca: fs.readFileSync(file('ca.crt')), servername: 'localhost', ...more,
  };
  return new Promise((resolve, reject) => {
    const sent = (tls ? https : http).request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (data) => { text += data; });
      response.on('end', () => resolve({ status: response.statusCode, headers: JSON.parse(text).headers, from }));
    });
    let from;
    sent.on('socket', (socket) => socket.on('connect', () => { from = `${socket.localAddress}:${socket.localPort}`; }));
    sent.on('error', reject).end();
  });
}

const faults = async (gate) => Number(/connection_errors_total\{kind="proxy_header"\} (\d+)/.exec(await gate.metrics())[1]);

for (const way of CHECKED) {
  test(`${way.name}: a health check comes from the balancer itself, and is answered`, async () => {
    const record = await checkOf(way);
    assert.deepEqual([record.status, record.peer.split(':')[0]], [200, BALANCER]);
    assert.equal(await faults(gateOf(way)), 0);
  });
}

for (const { name, tls } of WAYS) {
  test(`${name}: the client is the balancer's client, for the upstream and for records`, async () => {
    const gate = gateOf({ tls });
    const { status, headers, from } = await call(ports[name], tls);
    assert.equal(status, 200);
    assert.equal(headers['x-forwarded-for'], CLIENT);
    assert.equal(headers['x-forwarded-proto'], tls ? 'https' : 'http');
    const record = await gate.recorded(new RegExp(`"peer":"${from}"`));
    assert.deepEqual([record.decision, record.path], ['allow', '/orders/1']);
    assert.equal(await faults(gate), 0);
  });
}

test('who is no balancer is taken for what it is', async () => {
  const { status, headers } = await call(new URL(gates.plain.url).port, false);
  assert.deepEqual([status, headers['x-forwarded-for']], [200, CLIENT]);
});

test('a balancer that says nothing is not served, and counted', async () => {
  const asked = call(new URL(gates.plain.url).port, false, { localAddress: BALANCER });
  await assert.rejects(asked, /ECONNRESET|hang up/);
  assert.equal(await faults(gates.plain), 1);
});
