// Quick tokens that name no application, from an issuer that calls itself localhost.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { OAuth2Server } from 'oauth2-mock-server';
import { startGate, startUpstream } from './gate.mjs';
import { ask } from './load.mjs';

const API = 'https://social.example/';
const server = new OAuth2Server();
let upstream, gate;

before(async () => {
  await server.issuer.keys.generate('RS256');
  await server.start(0, '127.0.0.1');
  upstream = await startUpstream();
  gate = await startGate(`
server: {listen: "127.0.0.1:0", drain_delay: 0s}
health: {listen: none}
issuers:
  - issuer: "${server.issuer.url}"
    profile: custom
    types: [JWT, none]
    machine: [{claim: amr, contains: client}]
    user: [{claim: amr, contains: pwd}]
resource_servers:
  - identifier: ${API}
    scopes: [{value: "read:posts"}]
    subject_type_authorization: {user: {policy: allow_all}, client: {policy: require_client_grant}}
    gate:
      upstream: ${upstream.url}
      operations: [{on: "GET /posts", scopes: ["read:posts"]}]
client_grants: [{client_id: reader-job, subject_type: client, scope: ["read:posts"]}]
`);
});
after(async () => {
  assert.equal(await gate?.stop(), 0, 'the gate ends cleanly on SIGTERM');
  upstream?.stop();
  await server.stop();
});

const code = async (claims) => {
  const token = await server.issuer.buildToken({
    scopesOrTransform: (_, payload) => Object.assign(payload, { aud: API, scope: 'read:posts', amr: ['client'] }, claims),
  });
  return (await ask(gate.url, token)).code;
};

test('a token that names no application is refused, whatever else it says', async () => {
  assert.match(server.issuer.url, /^http:\/\/localhost:/);
  assert.equal(await code({}), 'client-unidentified');
  assert.equal(await code({ sub: 'reader-job', amr: ['pwd'] }), 'client-unidentified');
});

test('the same token with an application passes by its grant', async () => {
  assert.equal(await code({ client_id: 'reader-job' }), 'ok');
  assert.equal(await code({ client_id: 'another' }), 'grant-missing');
});
