// RFC 9068 tokens of a real authorization server, for applications with different grants.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startGate, startUpstream } from './gate.mjs';
import * as issuer from './issuer.mjs';

let server, upstream, gate;

const configuration = ({ reader = '["read:posts"]' } = {}) => `
server: {listen: "127.0.0.1:0", drain_delay: 0s}
health: {listen: "127.0.0.1:0"}
issuers:
  - {issuer: "${server.url}", profile: rfc9068, algorithms: [RS256]}
resource_servers:
  - identifier: ${issuer.API}
    scopes: [{value: "read:posts"}, {value: "write:posts"}, {value: "read:friends"}, {value: "delete:posts"}]
    subject_type_authorization:
      user: {policy: require_client_grant}
      client: {policy: require_client_grant}
    gate:
      upstream: ${upstream.url}
      operations:
        - {on: "GET /posts", scopes: ["read:posts"]}
        - {on: "POST /posts", scopes: ["write:posts"]}
        - {on: "DELETE /posts/{id}", scopes: ["delete:posts"]}
client_grants:
  - {client_id: reader-job, subject_type: client, scope: ${reader}}
  - {client_id: writer-job, subject_type: client, scope: ["read:posts", "write:posts"]}
  - {client_id: photo-app, subject_type: user, scope: ["read:posts", "write:posts"]}
`;

before(async () => {
  [server, upstream] = await Promise.all([issuer.start(), startUpstream()]);
  gate = await startGate(configuration());
});
after(async () => {
  assert.equal(await gate?.stop(), 0, 'the gate ends cleanly on SIGTERM');
  upstream?.stop();
  server?.stop();
});

async function call(method, path, token) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const response = await fetch(gate.url + path, { method, headers });
  const body = await response.json();
  return { status: response.status, code: body.code, body, challenge: response.headers.get('www-authenticate') };
}

async function refused(status, code, method, path, token) {
  const answer = await call(method, path, token);
  assert.deepEqual([answer.status, answer.code], [status, code], JSON.stringify(answer.body));
  return answer;
}

test('a machine is let through within its grant, and the upstream learns who calls', async () => {
  const token = await server.machineToken('reader-job', 'read:posts');
  const { status, body } = await call('GET', '/posts', token);
  assert.equal(status, 200);
  assert.equal(body.headers['grantgate-client-id'], 'reader-job');
  assert.equal(body.headers['grantgate-subject-type'], 'client');
  assert.equal(body.headers['grantgate-scopes'], 'read:posts');
});

test('two machines with different grants are told apart', async () => {
  const scopes = 'read:posts write:posts';
  const [reader, writer] = await Promise.all(['reader-job', 'writer-job'].map((client) => server.machineToken(client, scopes)));
  assert.equal((await call('POST', '/posts', writer)).status, 200);
  const answer = await refused(403, 'scope-exceeds-grant', 'POST', '/posts', reader);
  assert.deepEqual(answer.body.excess_scopes, ['write:posts']);
});

test('a token that lacks the scope is told which', async () => {
  const token = await server.machineToken('writer-job', 'read:posts');
  const answer = await refused(403, 'scope-insufficient', 'POST', '/posts', token);
  assert.match(answer.challenge, /error="insufficient_scope"/);
  assert.match(answer.challenge, /scope="write:posts"/);
});

test('a user is let through by the grant for users, OIDC scopes left aside', async () => {
  const token = await server.userToken('photo-app', 'read:posts', 'alice');
  const { status, body } = await call('GET', '/posts', token);
  assert.equal(status, 200);
  assert.equal(body.headers['grantgate-subject'], 'alice');
  assert.equal(body.headers['grantgate-subject-type'], 'user');
});

test('an application without a grant is refused, and so is no token', async () => {
  const token = await server.userToken('quiz-app', 'read:posts', 'alice');
  await refused(403, 'grant-missing', 'GET', '/posts', token);
  await refused(401, 'token-missing', 'GET', '/posts');
});

test('a token changed on its way does not verify', async () => {
  const token = await server.machineToken('reader-job', 'read:posts');
  const [head, , signature] = token.split('.');
  const [, claims] = (await server.machineToken('writer-job', 'read:posts')).split('.');
  await refused(401, 'token-signature-invalid', 'GET', '/posts', `${head}.${claims}.${signature}`);
});

test('an edit bites on the next request, and a broken one changes nothing', async () => {
  const token = await server.machineToken('reader-job', 'read:posts');
  assert.equal((await call('GET', '/posts', token)).status, 200);
  await gate.edit(configuration({ reader: '[]' }), /configuration applied/);
  await refused(403, 'scope-exceeds-grant', 'GET', '/posts', token);
  await gate.edit('issuers: [', /configuration refused/);
  await refused(403, 'scope-exceeds-grant', 'GET', '/posts', token);
  await gate.edit(configuration(), /configuration applied/);
  assert.equal((await call('GET', '/posts', token)).status, 200);
});
