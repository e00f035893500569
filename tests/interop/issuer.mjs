// A real authorization server on loopback: panva's oidc-provider, with a user who signs in by himself, and a
// key set that rotates and breaks as it is told.
// start({ alg, port, tls, cacheControl }) → { url, machineToken(client, scope), userToken(client, scope, user),
//   rotate(mode), publish(), break(fault), fetches, confirmed, stop() }
import crypto from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { promisify } from 'node:util';
import Provider, { errors } from 'oidc-provider';
import { answerWith } from './faults.mjs';

export const API = 'https://social.example/';
const SCOPES = 'read:posts write:posts read:friends delete:posts';
const SECRET = crypto.randomBytes(24).toString('base64url');
const COOKIE_KEY = crypto.randomBytes(16).toString('hex');
const REDIRECT = 'http://127.0.0.1:9/callback'; // never opened: the code is read off the redirect

const machine = (client_id) => ({
  client_id, client_secret: SECRET, token_endpoint_auth_method: 'client_secret_post',
  grant_types: ['client_credentials'], redirect_uris: [], response_types: [],
});
const web = (client_id) => ({
  client_id, client_secret: SECRET, token_endpoint_auth_method: 'client_secret_post', application_type: 'native',
  grant_types: ['authorization_code'], redirect_uris: [REDIRECT], response_types: ['code'],
});

export async function start({ alg = 'RS256', port = 0, tls = null, cacheControl = 'max-age=300' } = {}) {
  const servers = [http.createServer(), ...tls ? [https.createServer(tls)] : []];
  const listen = (server) => new Promise((listening) => server.listen(port, '127.0.0.1', listening));
  await Promise.all(servers.map(listen));
  const at = (server) => `127.0.0.1:${server.address().port}`;
  // Where we ask for tokens, and what the gate is told.
  const inside = `http://${at(servers[0])}`;
  const url = tls ? `https://${at(servers[1])}` : inside;
  let signing = await newKey(alg);
  let published = [signing];
  let next = null;
  let fault = null;
  const counts = { fetches: 0, confirmed: 0 };
  let provider = build(url, signing);
  const use = (key) => { signing = key; provider = build(url, key); };
  const modes = {
    // The new key signs at once, and the old one is gone.
    clean: (key) => { published = [key]; use(key); },
    // The new key signs at once, and the old one stays.
    overlap: (key) => { published = [key, ...published]; use(key); },
    // The new key signs before it is published.
    hidden: (key) => use(key),
    // The new key is published before it signs …
    prepublish: (key) => { published = [...published, key]; next = key; },
    // … which it does then.
    activate: () => use(next),
  };
  const serve = (request, response) => {
    if (request.url === '/jwks') {
      counts.fetches += 1;
      const keys = published.map(publicPart);
      return fault ? answerWith(fault, keys, request, response) : keySet(keys, request, response);
    }
    if (!request.url.startsWith('/interaction/')) return provider.callback()(request, response);
    return signIn(provider, request, response).catch((error) => response.writeHead(500).end(String(error.stack)));
  };
  for (const server of servers) server.on('request', serve);
  function keySet(keys, request, response) {
    const body = JSON.stringify({ keys });
    const etag = `"${crypto.createHash('sha256').update(body).digest('base64url')}"`;
    const known = request.headers['if-none-match'] === etag;
    if (known) counts.confirmed += 1;
    response.writeHead(known ? 304 : 200, {
      'content-type': 'application/jwk-set+json', 'cache-control': cacheControl, etag,
    });
    response.end(known ? undefined : body);
  }

  const token = async (body) => {
    const response = await fetch(`${inside}/token`, { method: 'POST', body: new URLSearchParams(body) });
    const answer = await response.json();
    if (!response.ok) throw new Error(JSON.stringify(answer));
    return answer.access_token;
  };
  return {
    url,
    machineToken: (client_id, scope) =>
      token({ client_id, client_secret: SECRET, grant_type: 'client_credentials', resource: API, scope }),
    async userToken(client_id, scope, user) {
      const code_verifier = crypto.randomBytes(32).toString('base64url');
      const code = await authorize(url, {
        client_id, scope: `openid ${scope}`, login_hint: user, resource: API, redirect_uri: REDIRECT,
        response_type: 'code', prompt: 'consent', code_challenge_method: 'S256',
        code_challenge: crypto.createHash('sha256').update(code_verifier).digest('base64url'),
      });
      return token({
        client_id, client_secret: SECRET, grant_type: 'authorization_code', code, code_verifier,
        redirect_uri: REDIRECT, resource: API,
      });
    },
    async rotate(mode) { modes[mode](mode === 'activate' ? null : await newKey(alg)); },
    // Publishes the key that signs, and no other.
    publish() { published = [signing]; },
    break(kind) { fault = kind; },
    get fetches() { return counts.fetches; },
    get confirmed() { return counts.confirmed; },
    stop: () => servers.forEach((server) => { server.closeAllConnections(); server.close(); }),
  };
}

const CURVES = { ES256: 'P-256', RS256: null };

async function newKey(alg) {
  const [type, options] = CURVES[alg] ? ['ec', { namedCurve: CURVES[alg] }] : ['rsa', { modulusLength: 2048 }];
  const { privateKey } = await promisify(crypto.generateKeyPair)(type, options);
  return { ...privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: crypto.randomUUID() };
}

function publicPart({ d, p, q, dp, dq, qi, ...key }) {
  return key;
}

function build(url, key) {
  return new Provider(url, {
    jwks: { keys: [key] },
    clientDefaults: { id_token_signed_response_alg: key.alg },
    clients: [machine('reader-job'), machine('writer-job'), web('photo-app'), web('quiz-app')],
    cookies: { keys: [COOKIE_KEY] },
    pkce: { required: () => true },
    claims: { openid: ['sub'] },
    ttl: { AccessToken: 300, ClientCredentials: 300, Grant: 600, Session: 600, Interaction: 600 },
    findAccount: async (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: async () => true,
        getResourceServerInfo: async (_, resource) => {
          if (resource !== API) throw new errors.InvalidTarget();
          return { scope: SCOPES, audience: API, accessTokenFormat: 'jwt', jwt: { sign: { alg: key.alg } } };
        },
      },
    },
  });
}

// Signs the user in and consents to what was asked, as a person would by clicking twice.
async function signIn(provider, request, response) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  const accountId = session?.accountId ?? params.login_hint;
  if (prompt.name === 'login') {
    return provider.interactionFinished(request, response, { login: { accountId } });
  }
  const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId, clientId: params.client_id });
  if (prompt.details.missingOIDCScope) grant.addOIDCScope(prompt.details.missingOIDCScope.join(' '));
  for (const [resource, scopes] of Object.entries(prompt.details.missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(' '));
  }
  const consent = { consent: { grantId: await grant.save() } };
  return provider.interactionFinished(request, response, consent, { mergeWithLastSubmission: true });
}

// Follows the authorization endpoint's redirects, with cookies, up to the code.
async function authorize(issuer, parameters) {
  const cookies = new Map();
  let url = `${issuer}/auth?${new URLSearchParams(parameters)}`;
  for (let redirects = 0; redirects < 12; redirects += 1) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { redirect: 'manual', headers: { cookie } });
    for (const set of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(set);
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (!location) throw new Error(`no redirect: ${response.status} ${await response.text()}`);
    url = new URL(location, issuer).href;
    if (url.startsWith(REDIRECT)) {
      const code = new URL(url).searchParams.get('code');
      if (!code) throw new Error(`no code: ${url}`);
      return code;
    }
  }
  throw new Error('too many redirects');
}
