// An issuer whose certificate comes from an authority of its own.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { postsApi, startGate, startUpstream } from './gate.mjs';
import * as issuer from './issuer.mjs';
import { ask } from './load.mjs';
import { authority, certificate } from './system.mjs';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'grantgate-ca-'));
const file = (name) => path.join(folder, name);
let tls, server, upstream, gate;

const configuration = (ca, url = server.url) => `
server: {listen: "127.0.0.1:0", drain_delay: 0s}
health: {listen: none}
issuers: [{issuer: "${url}", profile: rfc9068, ${ca}}]
${postsApi(issuer.API, upstream)}
client_grants: [{client_id: reader-job, scope: ["read:posts"]}]
`;

before(async () => {
  authority(folder, 'ca');
  certificate(folder, 'tls', 'ca');
  tls = { key: fs.readFileSync(file('tls.key')), cert: fs.readFileSync(file('tls.crt')) };
  [server, upstream] = await Promise.all([issuer.start({ tls }), startUpstream()]);
  gate = await startGate(configuration('refresh_cooldown: 1s'));
});
after(async () => {
  assert.equal(await gate?.stop(), 0, 'the gate ends cleanly on SIGTERM');
  upstream?.stop();
  server?.stop();
  fs.rmSync(folder, { recursive: true });
});

test('keys come from an issuer whose authority is named, and from no other', async () => {
  const token = await server.machineToken('reader-job', 'read:posts');
  await gate.seen(/certificate/);
  assert.equal((await ask(gate.url, token)).code, 'keys-unavailable');
  await gate.edit(configuration(`ca: "${file('ca.crt')}"`), /configuration applied/);
  assert.equal((await ask(gate.url, token)).code, 'ok');
  assert.equal(server.fetches, 1);
});

test('a document that came over TLS sends the gate to no plain port of this machine', async () => {
  const plain = await issuer.start();
  const guide = https.createServer(tls, (_, response) => {
    response.end(JSON.stringify({ issuer: guide.url, jwks_uri: `${plain.url}/jwks` }));
  });
  await new Promise((listening) => guide.listen(0, '127.0.0.1', listening));
  guide.url = `https://127.0.0.1:${guide.address().port}`;
  try {
    await gate.edit(configuration(`ca: "${file('ca.crt')}"`, guide.url), /configuration applied/);
    await gate.seen(/plain http is for issuers on this machine/);
    assert.equal(plain.fetches, 0);
  } finally {
    guide.close();
    plain.stop();
  }
});
