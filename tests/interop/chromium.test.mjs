// A real Chromium: what pages of other origins can do with an API behind the gate, and what they see of it.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { startGate } from './gate.mjs';
import * as issuer from './issuer.mjs';
import { need } from './system.mjs';

const stops = [];
let server, gate, friend, stranger, upstream, token;

// Serves on a port of its own, which makes an origin of its own.
async function serve(answer) {
  const web = http.createServer(answer);
  await new Promise((listening) => web.listen(0, '127.0.0.1', listening));
  stops.push(() => { web.closeAllConnections(); web.close(); });
  return `http://127.0.0.1:${web.address().port}`;
}

// A page of an origin of its own, which can be told to fetch.
async function open(browser) {
  const origin = await serve((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html>'));
  const page = await browser.newPage();
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
  });
  return { url, seen, taken: () => seen.splice(0).map((request) => request.method) };
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
  gate = await startGate(`
server: {listen: "127.0.0.1:0", drain_delay: 0s}
health: {listen: "127.0.0.1:0"}
issuers: [{issuer: "${server.url}", profile: rfc9068}]
resource_servers:${
  api('posts', 'https://posts.example/', '[{on: "GET,DELETE /posts/{id}", scopes: ["read:posts"]}, {on: "PUT /posts/{id}", scopes: ["write:posts"]}]',
    `cors: {origins: ["${friend.origin}"]}`)}${
  api('own', 'https://own.example/', '[{on: "GET /own/{id}", scopes: ["read:posts"]}]', 'preflight: pass')}
client_grants:
  - {client_id: reader-job, audience: "https://posts.example/", scope: ["read:posts"]}
  - {client_id: reader-job, audience: "https://own.example/", scope: ["read:posts"]}
`);
  token = await server.machineToken('reader-job', 'read:posts');
});
after(async () => {
  const code = await gate?.stop();
  for (const stop of stops) await stop();
  assert.equal(code, 0, 'the gate ends cleanly on SIGTERM');
});

// What a script of `page` sees of an answer.
const see = ({ page }, path, { method = 'GET', bearer, headers = {} } = {}) => page.evaluate(
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
  [`${gate.url}${path}`, method, bearer ? { authorization: `Bearer ${bearer}`, ...headers } : headers],
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
