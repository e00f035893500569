// What the suites need of this machine: programs, ports, what a child says, and certificates.
// A program that is missing comes from Debian.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

// The path of a program, or of what else has a path, installed where it is missing.
export function need(program, debian = program) {
  const paths = (process.env.PATH ?? '').split(':').concat('/usr/sbin', '/usr/local/sbin');
  const found = () => paths.map((folder) => path.resolve(folder, program)).find((file) => fs.existsSync(file));
  if (!found()) {
    const sudo = process.getuid() === 0 ? [] : ['sudo', '-n'];
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const apt = (...args) => {
      const [command, ...rest] = [...sudo, 'apt-get', '-qq', ...args];
      execFileSync(command, rest, { env, stdio: 'ignore', timeout: 240_000 });
    };
    apt('update');
    apt('install', '--no-install-recommends', '-y', debian);
  }
  return found();
}

// Ports that were free a moment ago.
export async function freePorts(count) {
  const holders = await Promise.all(Array.from({ length: count }, () => new Promise((held) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => held(server));
  })));
  const ports = holders.map((server) => server.address().port);
  await Promise.all(holders.map((server) => new Promise((closed) => server.close(closed))));
  return ports;
}

// Follows what a child writes on standard error, or in another stream of its own. → { exited, length(), seen(pattern, from) }; `seen` resolves with
// the first match of `pattern` from `from` on.
export function follow(child, stream = child.stderr) {
  let log = '';
  const waiting = new Set();
  stream.setEncoding('utf8').on('data', (data) => {
    log += data;
    for (const look of waiting) look();
  });
  const exited = new Promise((resolve) => child.on('exit', resolve));
  const seen = (pattern, from = 0) => new Promise((resolve, reject) => {
    const look = () => {
      const match = pattern.exec(log.slice(from));
      if (match) { waiting.delete(look); resolve(match); }
    };
    waiting.add(look);
    exited.then((code) => reject(new Error(`${child.spawnfile} ended with ${code}:\n${log}`)));
    look();
  });
  return { exited, length: () => log.length, seen };
}

const openssl = (...parts) => execFileSync(need('openssl'), parts, { stdio: 'pipe' });
const newKey = (file) => ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file];

// Writes `name`.crt and `name`.key of an authority into `folder`.
export function authority(folder, name) {
  const file = path.join(folder, name);
  openssl('req', '-x509', '-days', '2', '-subj', `/CN=${name}`, ...newKey(`${file}.key`), '-out', `${file}.crt`);
}

// The same of a certificate for this machine, signed by `ca`.
export function certificate(folder, name, ca) {
  const [file, by] = [path.join(folder, name), path.join(folder, ca)];
  openssl('req', '-x509', '-days', '2', '-subj', `/CN=${name}`, ...newKey(`${file}.key`), '-out', `${file}.crt`,
    '-CA', `${by}.crt`, '-CAkey', `${by}.key`,
    '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:FALSE');
}
