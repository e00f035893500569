// A real nginx on loopback and on a socket, and the certificates it needs; installs both where they are missing.
// startNginx(folder, servers) → { ports, reload(), stop() }; `servers` makes nginx' server blocks of free ports.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

function need(program, debian) {
  const paths = (process.env.PATH ?? '').split(':').concat('/usr/sbin', '/usr/local/sbin');
  const found = () => paths.map((folder) => path.join(folder, program)).find((file) => fs.existsSync(file));
  if (!found()) {
    spawnSync('apt-get', ['update', '-qq']);
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', debian], { stdio: 'ignore' });
  }
  return found();
}

const openssl = (...parts) => execFileSync(need('openssl', 'openssl'), parts, { stdio: 'pipe' });
const newKey = (file) => ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file];

// Writes `name`.crt and `name`.key of an authority into `folder`.
export function authority(folder, name) {
  const file = path.join(folder, name);
  openssl('req', '-x509', '-days', '2', '-subj', `/CN=${name}`, ...newKey(`${file}.key`), '-out', `${file}.crt`);
}

// The same of a certificate for localhost, signed by `ca`.
export function certificate(folder, name, ca) {
  const [file, by] = [path.join(folder, name), path.join(folder, ca)];
  openssl('req', '-x509', '-days', '2', '-subj', `/CN=${name}`, ...newKey(`${file}.key`), '-out', `${file}.crt`,
    '-CA', `${by}.crt`, '-CAkey', `${by}.key`,
    '-addext', 'subjectAltName=DNS:localhost', '-addext', 'basicConstraints=critical,CA:FALSE');
}

async function freePorts(count) {
  const holders = await Promise.all(Array.from({ length: count }, () => new Promise((held) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => held(server));
  })));
  const ports = holders.map((server) => server.address().port);
  await Promise.all(holders.map((server) => new Promise((closed) => server.close(closed))));
  return ports;
}

export async function startNginx(folder, count, servers) {
  const program = need('nginx', 'nginx-light');
  const ports = await freePorts(count);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  fs.writeFileSync(path.join(folder, 'nginx.conf'), `
    daemon off;
    pid ${folder}/nginx.pid;
    error_log stderr notice;
    worker_processes 1;
    events {}
    http {
      access_log off;
      ${temporary.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join('\n')}
      ${servers(ports)}
    }`);
  const child = spawn(program, ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  const waiting = new Set();
  child.stderr.on('data', (data) => {
    log += data;
    for (const look of waiting) look();
  });
  const exited = new Promise((resolve) => child.on('exit', resolve));
  const workers = (count) => new Promise((resolve, reject) => {
    const look = () => {
      if (log.split('start worker process ').length - 1 < count) return;
      waiting.delete(look);
      resolve();
    };
    waiting.add(look);
    exited.then((code) => reject(new Error(`nginx ended with ${code}:\n${log}`)));
    look();
  });
  await workers(1);
  let started = 1;
  return {
    ports,
    // Reads its certificates anew.
    async reload() {
      child.kill('SIGHUP');
      await workers(++started);
    },
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
