// A real Chromium: what pages of other origins can do with an API behind the gate, and what they see of it.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import http from 'node:http';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { startGate } from './gate.mjs';
import * as issuer from './issuer.mjs';
import { authority, certificate, need } from './system.mjs';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'grantgate-chromium-'));
const stops = [() => fs.rmSync(folder, { recursive: true })];
let server, gate, secure, friend, stranger, upstream, token;

// Serves on a port of its own, which makes an origin of its own.
async function serve(answer, upgrade = (_, socket) => socket.destroy()) {
  const web = http.createServer(answer).on('upgrade', upgrade);
  await new Promise((listening) => web.listen(0, '127.0.0.1', listening));
  stops.push(() => { web.closeAllConnections(); web.close(); });
  return `http://127.0.0.1:${web.address().port}`;
}

// A page of an origin of its own, which can be told to fetch.
async function open(browser) {
  const origin = await serve((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html>'));
  const page = await browser.newPage({ ignoreHTTPSErrors: true });
  await page.goto(origin);
  return { origin, page };
}

// An upstream that counts what it sees, and knows of origins what its own API says.
async function startUpstream() {
  const seen = [];
  const url = await serve((request, response) => {
    seen.push(request);
    const { origin = '*' } = request.headers;
    response.setHeader('access-control-allow-origin', request.url.startsWith('/own/') ? origin : '*');
    response.setHeader('access-control-allow-headers', 'authorization');
    response.setHeader('access-control-expose-headers', 'x-total');
    response.setHeader('x-total', '7');
    response.end(JSON.stringify({ method: request.method, headers: request.headers }));
  }, greet);
  return { url, seen, taken: () => seen.splice(0).map((request) => request.method) };
}

// Takes the first subprotocol of a WebSocket, and says in one frame what it was told (RFC 6455 sections 4.2.2 and 5.2).
function greet({ headers }, socket) {
  const accept = crypto.createHash('sha1').update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
  const protocol = headers['sec-websocket-protocol']?.split(',')[0];
  const head = ['HTTP/1.1 101 Switching Protocols', 'upgrade: websocket', 'connection: upgrade', `sec-websocket-accept: ${accept.digest('base64')}`];
  socket.write([...head, ...protocol ? [`sec-websocket-protocol: ${protocol}`] : [], '', ''].join('\r\n'));
  const text = Buffer.from(JSON.stringify(headers));
  socket.end(Buffer.concat([Buffer.from([0x81, 126, text.length >> 8, text.length & 0xff]), text, Buffer.from([0x88, 0])]));
}

const api = (name, audience, operations, more) => `
  - identifier: ${audience}
    scopes: [{value: "read:posts"}, {value: "write:posts"}]
    subject_type_authorization: {user: {policy: deny_all}, client: {policy: require_client_grant}}
    gate:
      path_prefix: /${name}
      audiences: [${issuer.API}]
      upstream: ${upstream.url}
      operations: ${operations}
      ${more}`;

before(async () => {
  const program = need('chromium');
  const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox'] });
  stops.push(() => browser.close());
  [server, upstream, friend, stranger] = await Promise.all([
    issuer.start(), startUpstream(), open(browser), open(browser),
  ]);
  stops.push(() => server.stop());
  authority(folder, 'ca');
  certificate(folder, 'tls', 'ca');
  const tls = `, tls: {cert: "${folder}/tls.crt", key: "${folder}/tls.key"}`;
  const configuration = (tls) => `
server: {listen: "127.0.0.1:0", drain_delay: 0s${tls}}
health: {listen: "127.0.0.1:0"}
issuers: [{issuer: "${server.url}", profile: rfc9068}]
resource_servers:${
  api('posts', 'https://posts.example/', '[{on: "GET,DELETE /posts/{id}", scopes: ["read:posts"]}, {on: "PUT /posts/{id}", scopes: ["write:posts"]},'
    + ' {on: "GET /posts/{id}/events", scopes: ["read:posts"], upgrade: [websocket]}]',
    `cors: {origins: ["${friend.origin}"]}\n      websocket_tokens: true`)}${
  api('own', 'https://own.example/', '[{on: "GET /own/{id}", scopes: ["read:posts"]}]', 'preflight: pass')}
client_grants:
  - {client_id: reader-job, audience: "https://posts.example/", scope: ["read:posts"]}
  - {client_id: reader-job, audience: "https://own.example/", scope: ["read:posts"]}
`;
  [gate, secure] = await Promise.all([startGate(configuration('')), startGate(configuration(tls))]);
  token = await server.machineToken('reader-job', 'read:posts');
});
after(async () => {
  const codes = [await gate?.stop(), await secure?.stop()];
  for (const stop of stops) await stop();
  assert.deepEqual(codes, [0, 0], 'the gates end cleanly on SIGTERM');
});

// What a script of `page` sees of an answer.
const see = ({ page }, path, { at = gate.url, method = 'GET', bearer, headers = {} } = {}) => page.evaluate(
  async ([url, method, headers]) => {
    try {
      const response = await fetch(url, { method, headers });
      const body = await response.json();
      const field = (name) => response.headers.get(name);
      return { status: response.status, body, challenge: field('www-authenticate'), total: field('x-total'), hidden: field('via') };
    } catch (error) {
      return { error: String(error) };
    }
  },
  [`${at}${path}`, method, bearer ? { authorization: `Bearer ${bearer}`, ...headers } : headers],
);

const NOTHING = { error: 'TypeError: Failed to fetch' };

test('a page of a listed origin reads an allowed answer, and the upstream sees no preflight', async () => {
  for (const method of ['GET', 'DELETE']) {
    const { status, body, total, hidden } = await see(friend, '/posts/1', { method, bearer: token });
    assert.deepEqual([status, body.method, total, hidden], [200, method, '7', null]);
    assert.equal(body.headers['grantgate-client-id'], 'reader-job');
    assert.equal(body.headers.origin, friend.origin);
  }
  assert.deepEqual(upstream.taken(), ['GET', 'DELETE']);
  // One preflight for each method, which browsers remember.
  const allowed = (metrics) => Number(/^grantgate_requests_total\{api="https:\/\/posts.example\/",decision="allow",code="",subject_type=""\} (\d+)/m.exec(metrics)[1]);
  const preflights = allowed(await gate.metrics());
  assert.ok(preflights >= 1, 'the browser asked before it called');
  assert.equal((await see(friend, '/posts/1', { bearer: token })).status, 200);
  assert.equal(allowed(await gate.metrics()), preflights);
  upstream.taken();
});

test('by TLS and HTTP/2 it sees the same', async () => {
  const at = secure.url.replace('http:', 'https:');
  const { status, body, total } = await see(friend, '/posts/1', { at, bearer: token });
  assert.deepEqual([status, total], [200, '7']);
  assert.match(body.headers.via, /^2(\.0)? /);
  const missing = await see(friend, '/posts/1', { at });
  assert.deepEqual([missing.status, missing.body.code], [401, 'token-missing']);
  assert.match(missing.challenge, /^Bearer realm=/);
  assert.deepEqual(await see(stranger, '/posts/1', { at, bearer: token }), NOTHING);
  assert.deepEqual(upstream.taken(), ['GET']);
});

test('a page of a listed origin reads why it is refused, and what to ask for', async () => {
  const missing = await see(friend, '/posts/1');
  assert.deepEqual([missing.status, missing.body.code], [401, 'token-missing']);
  assert.match(missing.challenge, /^Bearer realm="https:\/\/posts\.example\/"$/);
  const insufficient = await see(friend, '/posts/1', { method: 'PUT', bearer: token });
  assert.deepEqual([insufficient.status, insufficient.body.code], [403, 'scope-insufficient']);
  assert.match(insufficient.challenge, /error="insufficient_scope", scope="write:posts"/);
  const unlisted = await see(friend, '/posts/1/2', { bearer: token });
  assert.deepEqual([unlisted.status, unlisted.body.code], [403, 'operation-unlisted']);
  const forged = await see(friend, '/posts/1', { bearer: 'a.b.c' });
  assert.deepEqual([forged.status, forged.body.code], [401, 'token-malformed']);
  assert.match(forged.challenge, /error="invalid_token"/);
  assert.deepEqual(upstream.taken(), []);
});

test('a page of a listed origin cannot do what is not listed', async () => {
  assert.deepEqual(await see(friend, '/posts/1', { method: 'PATCH', bearer: token }), NOTHING);
  assert.deepEqual(await see(friend, '/posts/1', { bearer: token, headers: { 'x-other': '1' } }), NOTHING);
  assert.deepEqual(upstream.taken(), []);
});

test('a page of another origin sees nothing, and what it cannot ask never comes', async () => {
  assert.deepEqual(await see(stranger, '/posts/1', { bearer: token }), NOTHING);
  assert.deepEqual(await see(stranger, '/posts/1'), NOTHING);
  assert.deepEqual(upstream.taken(), []);
});

test('where preflights pass, the upstream says which pages may read', async () => {
  const { status, body } = await see(friend, '/own/1', { bearer: token });
  assert.deepEqual([status, body.method], [200, 'GET']);
  const preflight = upstream.seen[0];
  assert.deepEqual(upstream.taken(), ['OPTIONS', 'GET']);
  assert.equal(preflight.headers['access-control-request-headers'], 'authorization');
  assert.equal(preflight.headers['grantgate-client-id'], '');
  assert.deepEqual(await see(friend, '/own/1/2', { bearer: token }), NOTHING);
  assert.deepEqual(upstream.taken(), []);
});

// What a script of `page` sees of a WebSocket.
const talk = ({ page }, ...protocols) => page.evaluate(([url, protocols]) => new Promise((resolve) => {
  const socket = new WebSocket(url, protocols);
  const seen = { opened: false };
  socket.onopen = () => { seen.opened = true; seen.protocol = socket.protocol; };
  socket.onmessage = ({ data }) => { seen.told = JSON.parse(data); };
  socket.onclose = () => resolve(seen);
}), [`${gate.url.replace('http:', 'ws:')}/posts/1/events`, protocols]);

test('a page of a listed origin opens a WebSocket with its token as a subprotocol', async () => {
  const bearer = `grantgate.bearer.${token}`;
  const { opened, protocol, told } = await talk(friend, bearer, 'posts.v1');
  assert.deepEqual([opened, protocol, told['sec-websocket-protocol']], [true, 'posts.v1', 'posts.v1']);
  assert.equal(told['grantgate-client-id'], 'reader-job');
  assert.ok(!JSON.stringify(told).includes(token), 'the token is for the gate alone');
  assert.equal((await talk(friend, bearer)).opened, true, 'though the upstream speaks no subprotocol');
});

test('without a token, or from another origin, there is no WebSocket', async () => {
  assert.deepEqual(await talk(friend, 'posts.v1'), { opened: false });
  assert.deepEqual(await talk(friend, 'grantgate.bearer.a.b.c'), { opened: false });
  assert.deepEqual(await talk(stranger, `grantgate.bearer.${token}`, 'posts.v1'), { opened: false });
});
