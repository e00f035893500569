// Keys that rotate under load: who is refused, for how long, and what it costs the issuer.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { postsApi, startGate, startUpstream } from './gate.mjs';
import * as issuer from './issuer.mjs';
import { ask, slowest, steady, tally } from './load.mjs';

const COOLDOWN = 2000;
let server, upstream, gate;

before(async () => {
  [server, upstream] = await Promise.all([issuer.start(), startUpstream()]);
  gate = await startGate(`
server: {listen: "127.0.0.1:0", drain_delay: 0s}
health: {listen: none}
issuers:
  - {issuer: "${server.url}", profile: rfc9068, algorithms: [RS256], refresh_cooldown: ${COOLDOWN}ms}
${postsApi(issuer.API, upstream)}
client_grants:
  - {client_id: reader-job, subject_type: client, scope: ["read:posts"]}
`);
});
after(async () => {
  assert.equal(await gate?.stop(), 0, 'the gate ends cleanly on SIGTERM');
  upstream?.stop();
  server?.stop();
});

const newToken = () => server.machineToken('reader-job', 'read:posts');

// Runs `steps` under load with the tokens that it names, and holds the fetches to the cool-down's bound.
async function underLoad(name, tokens, steps) {
  let turn = 0;
  const [begun, fetches] = [performance.now(), server.fetches];
  const load = steady(gate.url, () => {
    const names = Object.keys(tokens);
    const one = names[turn++ % names.length];
    return [one, tokens[one]];
  });
  try {
    await steps(load);
  } finally {
    await load.stop();
  }
  const [passed, fetched] = [performance.now() - begun, server.fetches - fetches];
  const bound = Math.ceil(passed / COOLDOWN) + 1;
  const seen = tally(load.results, (result) => `${result.name}:${result.code}`);
  console.log(`${name}: ${load.results.length} requests in ${Math.round(passed)} ms, ${fetched} key fetches (bound ${bound}), slowest ${slowest(load.results)} ms, ${JSON.stringify(seen)}`);
  assert.ok(fetched <= bound, `${fetched} key fetches, more than ${bound}`);
  return load.results;
}

const refused = (results) => results.filter((result) => result.status !== 200);

test('overlap: no request fails', async () => {
  const tokens = { old: await newToken() };
  const results = await underLoad('overlap', tokens, async () => {
    await sleep(500);
    await server.rotate('overlap');
    tokens.new = await newToken();
    await sleep(3000);
  });
  assert.deepEqual(refused(results), []);
  assert.ok(results.some((result) => result.name === 'new'));
});

test('prepublish and activate: no request fails', async () => {
  const tokens = { old: await newToken() };
  const results = await underLoad('prepublish, activate', tokens, async () => {
    await sleep(500);
    await server.rotate('prepublish');
    tokens.prepublished = await newToken();
    await sleep(1000);
    await server.rotate('activate');
    tokens.new = await newToken();
    await sleep(3000);
  });
  assert.deepEqual(refused(results), []);
  assert.ok(results.some((result) => result.name === 'new'));
});

test('hidden: none fails after the refetch that finds the key', async () => {
  const tokens = { old: await newToken() };
  let visible;
  const results = await underLoad('hidden', tokens, async (load) => {
    await sleep(500);
    await server.rotate('hidden');
    tokens.new = await newToken();
    await sleep(1000);
    delete tokens.old; // its key goes with the publication
    server.publish();
    const published = performance.now();
    while (!load.results.some((result) => result.name === 'new' && result.status === 200)) {
      assert.ok(performance.now() - published < 30_000, 'the key is never found');
      await sleep(10);
    }
    visible = performance.now();
    await sleep(2000);
  });
  assert.deepEqual(refused(results).filter((result) => result.name === 'old'), []);
  assert.deepEqual([...new Set(refused(results).map((result) => result.code))], ['token-key-unknown']);
  assert.deepEqual(refused(results).filter((result) => result.at > visible), []);
});

test('clean: old tokens are refused and new ones pass', async () => {
  const tokens = { old: await newToken() };
  let rotated;
  const results = await underLoad('clean', tokens, async () => {
    await sleep(500);
    await server.rotate('clean');
    tokens.new = await newToken();
    rotated = performance.now();
    await sleep(5000);
  });
  assert.deepEqual(refused(results).filter((result) => result.name === 'new'), []);
  const old = results.filter((result) => result.name === 'old');
  assert.deepEqual(refused(old.filter((result) => result.at < rotated)), []);
  const late = old.filter((result) => result.at > rotated + COOLDOWN + 1000);
  assert.ok(late.length > 0 && late.every((result) => result.code === 'token-key-unknown'));
});

test('a thousand random kids cost no more fetches, and a rotation meanwhile loses no request', async () => {
  const tokens = { old: await newToken() };
  const [, claims, signature] = tokens.old.split('.');
  const forged = () => {
    const head = { alg: 'RS256', typ: 'at+jwt', kid: crypto.randomUUID() };
    return `${Buffer.from(JSON.stringify(head)).toString('base64url')}.${claims}.${signature}`;
  };
  const flood = [];
  const results = await underLoad('1,000 random kids', tokens, async () => {
    let left = 1000;
    const one = async () => {
      while (left > 0) {
        left -= 1;
        flood.push(await ask(gate.url, forged()));
      }
    };
    const flooding = Array.from({ length: 250 }, one);
    await sleep(500);
    await server.rotate('overlap');
    tokens.new = await newToken();
    await Promise.all(flooding);
    await sleep(500);
  });
  console.log(`the flood: ${JSON.stringify(tally(flood, (result) => result.code))}, slowest ${slowest(flood)} ms`);
  assert.deepEqual(tally(flood, (result) => result.code), { 'token-key-unknown': 1000 });
  assert.deepEqual(refused(results), []);
});
