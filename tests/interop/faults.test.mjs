// Issuers whose key sets break, all in their own way at once: whom that concerns, and for how long.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BROKEN, USABLE } from './faults.mjs';
import { postsApi, startGate, startUpstream } from './gate.mjs';
import * as issuer from './issuer.mjs';
import { ask, slowest, steady, tally } from './load.mjs';

const FAULTS = [...BROKEN, ...USABLE];
const servers = new Map();
let upstream, gate, late, elsewhere;

before(async () => {
  upstream = await startUpstream();
  elsewhere = await issuer.start({ alg: 'ES256' });
  for (const fault of FAULTS) servers.set(fault, await issuer.start({ alg: 'ES256', cacheControl: 'no-store' }));
  // One that is down when the gate starts, on a port that was free a moment ago.
  late = await issuer.start({ alg: 'ES256' });
  late.stop();
  const urls = [late, ...servers.values()].map((server) => server.url);
  const issuers = urls.map((url) => `  - {issuer: "${url}", profile: rfc9068, refresh_cooldown: 1s}`);
  const grants = urls.map((url) => `  - {issuer: "${url}", client_id: reader-job, scope: ["read:posts"]}`);
  gate = await startGate(`
server: {listen: "127.0.0.1:0", drain_delay: 0s}
health: {listen: "127.0.0.1:0"}
issuers:
${issuers.join('\n')}
${postsApi(issuer.API, upstream, `issuers: ${JSON.stringify(urls)}`)}
client_grants:
${grants.join('\n')}
`);
});
after(async () => {
  assert.equal(await gate?.stop(), 0, 'the gate ends cleanly on SIGTERM');
  for (const server of [upstream, elsewhere, late, ...servers.values()]) server?.stop();
});

const newToken = (server) => server.machineToken('reader-job', 'read:posts');

// The token under another key's name.
function renamed(token, kid) {
  const [, claims, signature] = token.split('.');
  const head = { alg: 'ES256', typ: 'at+jwt', kid };
  return `${Buffer.from(JSON.stringify(head)).toString('base64url')}.${claims}.${signature}`;
}

async function allTokens() {
  return new Map(await Promise.all([...servers].map(async ([fault, server]) => [fault, await newToken(server)])));
}

test('an issuer that is down at the start concerns nobody else, and is found when it is back', async () => {
  for (const [fault, token] of await allTokens()) assert.equal((await ask(gate.url, token)).code, 'ok', fault);
  const claims = Buffer.from(JSON.stringify({ iss: late.url })).toString('base64url');
  const early = renamed(`.${claims}.AAAA`, 'any');
  const answer = await ask(gate.url, early);
  assert.deepEqual([answer.status, answer.code], [503, 'keys-unavailable']);
  assert.match(answer.retryAfter, /^[1-9]\d?$/);

  late = await issuer.start({ alg: 'ES256', port: Number(new URL(late.url).port) });
  const token = await newToken(late);
  let last = await ask(gate.url, token);
  for (let times = 0; last.status === 503 && times < 4; times += 1) {
    await sleep(Number(last.retryAfter) * 1000);
    last = await ask(gate.url, token);
  }
  assert.equal(last.code, 'ok');
});

test('whatever becomes of a key set, known tokens go on, memory stays, and all recovers by itself', async () => {
  const tokens = await allTokens();
  for (const [fault, token] of tokens) assert.equal((await ask(gate.url, token)).code, 'ok', fault);
  const memory = gate.memory();
  const fetches = new Map([...servers].map(([fault, server]) => [fault, server.fetches]));
  for (const [name, server] of servers) server.break({ name, elsewhere: `${elsewhere.url}/jwks` });
  await sleep(1000); // the cool-down

  const asked = [...tokens.values()].map((token) => ask(gate.url, renamed(token, 'nobody')));
  const names = [...tokens];
  let turn = 0;
  const load = steady(gate.url, () => names[turn++ % names.length]);
  await sleep(8000);
  const results = await load.stop();
  const codes = tally(await Promise.all(asked), (answer) => answer.code);
  const attempts = Object.fromEntries([...servers].map(([fault, server]) => [fault, server.fetches - fetches.get(fault)]));
  const grown = Math.round(gate.memory().most - memory.most);
  console.log(`${results.length} requests, slowest ${slowest(results)} ms, ${JSON.stringify(tally(results, (result) => result.code))}; unknown keys: ${JSON.stringify(codes)}; memory +${grown} MiB of ${Math.round(memory.most)}; fetches ${JSON.stringify(attempts)}`);
  assert.deepEqual(results.filter((result) => result.status !== 200), []);
  // Who waits for keys waits for up to 5 s, and a fetch takes up to 10 s.
  assert.ok(slowest(results) < 4000, 'who has a key at hand waited for a fetch');
  assert.ok(grown < 48, `memory grew by ${grown} MiB`);
  assert.equal(elsewhere.fetches, 0, 'no redirect is followed');
  for (const [fault, count] of Object.entries(attempts)) assert.ok(count > 0, `${fault} was not met`);
  const metrics = await gate.metrics();
  const refreshes = (fault, outcome) => {
    const name = `grantgate_keys_refreshes_total{issuer="${servers.get(fault).url}",outcome="${outcome}"} `;
    return Number(metrics.split('\n').find((line) => line.startsWith(name)).slice(name.length));
  };
  for (const fault of BROKEN.filter((fault) => fault !== 'hang' && fault !== 'drip')) assert.ok(refreshes(fault, 'failed') > 0, fault);
  for (const fault of USABLE) assert.equal(refreshes(fault, 'failed'), 0, fault);

  const mended = performance.now();
  for (const server of servers.values()) {
    server.break(null);
    await server.rotate('clean');
  }
  const left = await allTokens();
  while (left.size > 0) {
    for (const [fault, token] of left) if ((await ask(gate.url, token)).status === 200) left.delete(fault);
    assert.ok(performance.now() - mended < 60_000, `not recovered: ${[...left.keys()]}`);
    await sleep(100);
  }
  console.log(`all recovered ${Math.round(performance.now() - mended)} ms after`);
  for (const [fault, token] of tokens) assert.equal((await ask(gate.url, token)).code, 'token-key-unknown', fault);
});
