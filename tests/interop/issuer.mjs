// A real authorization server on loopback: panva's oidc-provider, with a user who signs in by himself.
// start() → { url, machineToken(client, scope), userToken(client, scope, user), stop() }
import crypto from 'node:crypto';
import http from 'node:http';
import Provider, { errors } from 'oidc-provider';

export const API = 'https://social.example/';
const SCOPES = 'read:posts write:posts read:friends delete:posts';
const SECRET = crypto.randomBytes(24).toString('base64url');
const REDIRECT = 'http://127.0.0.1:9/callback'; // never opened: the code is read off the redirect

const machine = (client_id) => ({
  client_id, client_secret: SECRET, token_endpoint_auth_method: 'client_secret_post',
  grant_types: ['client_credentials'], redirect_uris: [], response_types: [],
});
const web = (client_id) => ({
  client_id, client_secret: SECRET, token_endpoint_auth_method: 'client_secret_post', application_type: 'native',
  grant_types: ['authorization_code'], redirect_uris: [REDIRECT], response_types: ['code'],
});

export async function start() {
  const server = http.createServer();
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const url = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(url, {
    clients: [machine('reader-job'), machine('writer-job'), web('photo-app'), web('quiz-app')],
    cookies: { keys: [crypto.randomBytes(16).toString('hex')] },
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
          return { scope: SCOPES, audience: API, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } };
        },
      },
    },
  });
  server.on('request', (request, response) => {
    if (!request.url.startsWith('/interaction/')) return provider.callback()(request, response);
    return signIn(provider, request, response).catch((error) => response.writeHead(500).end(String(error.stack)));
  });

  const token = async (body) => {
    const response = await fetch(`${url}/token`, { method: 'POST', body: new URLSearchParams(body) });
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
    stop: () => { server.closeAllConnections(); server.close(); },
  };
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
