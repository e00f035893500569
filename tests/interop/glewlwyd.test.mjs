// An independent authorization server: RFC 9068 tokens from C, keys behind a double slash.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { postsApi, startGate, startUpstream } from './gate.mjs';
import * as glewlwyd from './glewlwyd.mjs';
import { ask } from './load.mjs';

let server, upstream, gate;

before(async () => {
  [server, upstream] = await Promise.all([glewlwyd.start(), startUpstream()]);
  gate = await startGate(`
server: {listen: "127.0.0.1:0", drain_delay: 0s}
health: {listen: none}
issuers: [{issuer: "${server.url}", profile: rfc9068, algorithms: [RS256], refresh_cooldown: 1s}]
${postsApi(glewlwyd.API, upstream)}
client_grants: [{client_id: reader-job, scope: ["read:posts"]}]
`);
}, { timeout: 240_000 });
after(async () => {
  assert.equal(await gate?.stop(), 0, 'the gate ends cleanly on SIGTERM');
  upstream?.stop();
  await server?.stop();
});

const code = async (client, scope) => (await ask(gate.url, await server.machineToken(client, scope))).code;

test('its keys are found where it says, slashes and all', async () => {
  const document = await (await fetch(`${server.url}/.well-known/openid-configuration`)).json();
  assert.match(new URL(document.jwks_uri).pathname, /\/\//);
  assert.equal(await code('reader-job', 'read:posts'), 'ok');
});

test('what its applications may do is decided by their grants', async () => {
  assert.equal(await code('reader-job', 'read:posts write:posts'), 'scope-exceeds-grant');
  assert.equal(await code('stranger', 'read:posts'), 'grant-missing');
});

test('a token changed on its way does not verify', async () => {
  const [head, , signature] = (await server.machineToken('stranger', 'read:posts')).split('.');
  const [, claims] = (await server.machineToken('reader-job', 'read:posts')).split('.');
  assert.equal((await ask(gate.url, `${head}.${claims}.${signature}`)).code, 'token-signature-invalid');
});
