// Glewlwyd, an authorization server in C, with an API and a client set up by its administration API.
// start() → { url, machineToken(client, scope), stop() }
import crypto from 'node:crypto';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts, need } from './system.mjs';

export const API = 'https://social.example/';
export const SCOPES = ['read:posts', 'write:posts'];
export const CLIENTS = ['reader-job', 'stranger'];
const SECRET = crypto.randomBytes(24).toString('hex');
const SCHEMA = '/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3';
const MODULES = '/usr/lib/glewlwyd';

const settings = (port, folder) => `
port=${port}
bind_address="127.0.0.1"
external_url="http://127.0.0.1:${port}/"
api_prefix="api"
log_mode="file"
log_level="WARNING"
log_file="${folder}/log"
cookie_secure=0
session_key="SESSION"
session_expiration=3600
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="${MODULES}/user"
client_module_path="${MODULES}/client"
user_auth_scheme_module_path="${MODULES}/scheme"
plugin_module_path="${MODULES}/plugin"
hash_algorithm="SHA512"
database = { type = "sqlite3" path = "${folder}/db" };
`;

export async function start() {
  const program = need('glewlwyd');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'grantgate-glewlwyd-'));
  const [port] = await freePorts(1);
  execFileSync(need('sqlite3'), [path.join(folder, 'db')], { input: fs.readFileSync(SCHEMA) });
  fs.writeFileSync(path.join(folder, 'conf'), settings(port, folder));
  const child = spawn(program, [`--config-file=${folder}/conf`], { stdio: 'ignore' });
  const exited = new Promise((resolve) => child.on('exit', resolve));
  const url = `http://127.0.0.1:${port}/api/oidc`;
  const stop = async () => {
    child.kill('SIGTERM');
    await exited;
    fs.rmSync(folder, { recursive: true });
  };
  try {
    await setUp(`http://127.0.0.1:${port}/api`, url, await signIn(`http://127.0.0.1:${port}/api`));
  } catch (error) {
    const log = fs.existsSync(`${folder}/log`) ? fs.readFileSync(`${folder}/log`, 'utf8') : '';
    await stop();
    throw new Error(`${error.message}\n${log}`);
  }
  return {
    url,
    async machineToken(client, scope) {
      const authorization = `Basic ${Buffer.from(`${client}:${SECRET}`).toString('base64')}`;
      const body = new URLSearchParams({ grant_type: 'client_credentials', scope, resource: API });
      const response = await fetch(`${url}/token`, { method: 'POST', headers: { authorization }, body });
      if (!response.ok) throw new Error(`token: ${response.status} ${await response.text()}`);
      return (await response.json()).access_token;
    },
    stop,
  };
}

// The administrator's session, once the server answers.
async function signIn(api) {
  const body = JSON.stringify({ username: 'admin', password: 'password' });
  for (let tries = 0; ; tries += 1) {
    try {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${api}/auth/`, { method: 'POST', headers, body });
      if (!response.ok) throw new Error(`sign in: ${response.status} ${await response.text()}`);
      return response.headers.getSetCookie()[0].split(';')[0];
    } catch (error) {
      if (tries === 100) throw error;
      await sleep(100);
    }
  }
}

async function setUp(api, issuer, cookie) {
  const post = async (place, value) => {
    const headers = { 'content-type': 'application/json', cookie };
    const response = await fetch(`${api}/${place}/`, { method: 'POST', headers, body: JSON.stringify(value) });
    if (!response.ok) throw new Error(`${place}: ${response.status} ${await response.text()}`);
  };
  const { privateKey, publicKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  // One after the other: its database takes no two writers.
  for (const name of SCOPES) await post('scope', { name, password_required: false, scheme: {} });
  await post('mod/plugin', {
    module: 'oidc', name: 'oidc', display_name: 'OIDC', enabled: true,
    parameters: {
      iss: issuer, 'jwt-type': 'rsa', 'jwt-key-size': '256', 'jwks-show': true,
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }), cert: publicKey.export({ type: 'spki', format: 'pem' }),
      'access-token-duration': 300, 'refresh-token-duration': 600, 'code-duration': 60,
      'auth-type-client-enabled': true, 'allow-non-oidc': true,
      'resource-allowed': true, 'resource-scope': Object.fromEntries(SCOPES.map((scope) => [scope, [API]])),
      'resource-client-property': '', 'resource-scope-and-client-property': false,
    },
  });
  for (const client_id of CLIENTS) {
    await post('client', {
      client_id, name: client_id, confidential: true, enabled: true, password: SECRET,
      authorization_type: ['client_credentials'], token_endpoint_auth_method: ['client_secret_basic'], scope: SCOPES,
    });
  }
}
