// The real binary on loopback, before an upstream that answers with what it was told.
// postsApi(identifier, upstream, more) → the configuration of an API whose posts machines read by their grants.
// startGate(yaml, { records }) → { url, metrics(), memory(), seen(pattern), recorded(pattern), edit(yaml, outcome),
//   replace(file, text, outcome), stop() }; `recorded` gives the first decision record that matches, where `records`
//   are read; the binary is $GRANTGATE, or the project's debug build.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { follow } from './system.mjs';

const BINARY = process.env.GRANTGATE ?? path.join(import.meta.dirname, '../../target/debug/grantgate');

export async function startUpstream() {
  const server = http.createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers }));
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const url = `http://127.0.0.1:${server.address().port}`;
  return { url, stop: () => { server.closeAllConnections(); server.close(); } };
}

export const postsApi = (identifier, upstream, more = '') => `
resource_servers:
  - identifier: ${identifier}
    scopes: [{value: "read:posts"}]
    subject_type_authorization: {user: {policy: deny_all}, client: {policy: require_client_grant}}
    gate:
      upstream: ${upstream.url}
      operations: [{on: "GET /posts", scopes: ["read:posts"]}]
      ${more}
`;

export async function startGate(yaml, { records = false } = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'grantgate-interop-'));
  const file = path.join(folder, 'gateway.yaml');
  fs.writeFileSync(file, yaml);
  const child = spawn(BINARY, ['run', '--config', folder], { stdio: ['ignore', records ? 'pipe' : 'ignore', 'pipe'] });
  const { exited, length, seen } = follow(child);
  const told = records ? follow(child, child.stdout) : null;
  // Replaces a file that the configuration names, and waits until the gate says what it made of it.
  const replace = async (file, text, outcome) => {
    const from = length();
    fs.writeFileSync(file + '.new', text);
    fs.renameSync(file + '.new', file);
    await seen(outcome, from);
  };
  const [, address] = await seen(/traffic=(127\.0\.0\.1:\d+)/);
  const [, health] = await seen(/health="?([\d.:]+|none)/);
  return {
    url: `http://${address}`,
    seen,
    async recorded(pattern) {
      const [line] = await told.seen(new RegExp(`^.*${pattern.source}.*$`, 'm'));
      return JSON.parse(line);
    },
    metrics: async () => (await fetch(`http://${health}/metrics`)).text(),
    // What it takes of memory now and took at most, in MiB.
    memory() {
      const status = fs.readFileSync(`/proc/${child.pid}/status`, 'utf8');
      const [now, most] = ['VmRSS', 'VmHWM'].map((name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]) / 1024);
      return { now, most };
    },
    // The same of the configuration.
    edit: (text, outcome) => replace(file, text, outcome),
    replace,
    async stop() {
      child.kill('SIGTERM');
      const code = await exited;
      fs.rmSync(folder, { recursive: true });
      return code;
    },
  };
}
