// The real binary on loopback, before an upstream that answers with what it was told.
// startGate(yaml) → { url, metrics(), memory(), seen(pattern), edit(yaml, outcome), replace(file, text, outcome),
//   stop() }; the binary is $GRANTGATE, or the project's debug build.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';

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

export async function startGate(yaml) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'grantgate-interop-'));
  const file = path.join(folder, 'gateway.yaml');
  fs.writeFileSync(file, yaml);
  const child = spawn(BINARY, ['run', '--config', folder], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  const waiting = new Set();
  child.stderr.on('data', (data) => {
    log += data;
    for (const look of waiting) look();
  });
  const exited = new Promise((resolve) => child.on('exit', resolve));
  // Resolves with the first match of `pattern` in what is logged from `from` on.
  const seen = (pattern, from = 0) => new Promise((resolve, reject) => {
    const look = () => {
      const match = pattern.exec(log.slice(from));
      if (match) { waiting.delete(look); resolve(match); }
    };
    waiting.add(look);
    exited.then((code) => reject(new Error(`the gate ended with ${code}:\n${log}`)));
    look();
  });
  // The same of a file that the configuration names.
  const replace = async (file, text, outcome) => {
    const from = log.length;
    fs.writeFileSync(file + '.new', text);
    fs.renameSync(file + '.new', file);
    await seen(outcome, from);
  };
  const [, address] = await seen(/traffic=(127\.0\.0\.1:\d+)/);
  const [, health] = await seen(/health="?([\d.:]+|none)/);
  return {
    url: `http://${address}`,
    seen,
    metrics: async () => (await fetch(`http://${health}/metrics`)).text(),
    // What it takes of memory now and took at most, in MiB.
    memory() {
      const status = fs.readFileSync(`/proc/${child.pid}/status`, 'utf8');
      const [now, most] = ['VmRSS', 'VmHWM'].map((name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]) / 1024);
      return { now, most };
    },
    // Replaces the configuration, and waits until the gate says what it made of it.
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
