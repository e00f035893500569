// A real nginx on loopback and on a socket.
// startNginx(folder, count, servers, streams) → { ports, reload(), stop() }; `servers` makes nginx' server blocks of
// free ports, and `streams` those that pass connections on.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { follow, freePorts, need } from './system.mjs';

export async function startNginx(folder, count, servers, streams = null) {
  const program = need('nginx', 'nginx-light');
  const module = streams && need('/usr/lib/nginx/modules/ngx_stream_module.so', 'libnginx-mod-stream');
  const ports = await freePorts(count);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  fs.writeFileSync(path.join(folder, 'nginx.conf'), `
    ${module ? `load_module ${module};` : ''}
    daemon off;
    pid ${folder}/nginx.pid;
    error_log stderr notice;
    worker_processes 1;
    events {}
    http {
      access_log off;
      ${temporary.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join('\n')}
      ${servers(ports)}
    }
    ${streams ? `stream { ${streams(ports)} }` : ''}`);
  const child = spawn(program, ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const { exited, seen } = follow(child);
  const workers = (count) => seen(new RegExp(`(?:start worker process [^]*?){${count}}`));
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
