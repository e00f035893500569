// An upstream that streams, hashes, waits and remembers, in every protocol, behind the gate.
// On standard output, a JSON line each: first its ports, { http1, http2, tls, control }; `http2` is without TLS,
// and `tls` speaks both by ALPN (certificate and key are the first two arguments).
//
// GET  …/down?size=N        N bytes, as bytes.py makes them (with `&length` their length is told beforehand)
// PUT  …/up[?hold]          { bytes, sha256, headers } of what came; with `hold` it is read once the control says so
// GET  …/events             an event for each that the control gives
// ANY  …/slow?id=X&ms=N     X, after N milliseconds; it is counted how often X arrives
// ANY  …/echo               { method, path, version, headers }
// The control: GET /state → { open, sent, ended, seen, held }, POST /event (the body), POST /release
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';

const BLOCK = 65536;
const block = Uint8Array.from({ length: BLOCK }, (_, at) => (at * at * 31 + (at >> 8) * 7) & 255);

// open: streams of events; sent: what was written of bodies; ended: how open ones ended; seen: ids; held: uploads.
const state = { open: 0, sent: 0, ended: [], seen: {}, held: 0 };
const listeners = new Set();
const held = new Set();

async function down(parameters, response) {
  const size = Number(parameters.get('size'));
  const length = parameters.has('length') ? { 'content-length': size } : {};
  response.writeHead(200, { 'content-type': 'application/octet-stream', ...length });
  response.on('error', () => {});
  for (let at = 0; at < size; at += BLOCK) {
    const part = Buffer.from(block.subarray(0, Math.min(BLOCK, size - at)));
    if (part.length >= 8) part.writeBigUInt64BE(BigInt(at / BLOCK));
    state.sent += part.length;
    if (!response.write(part) && !await drained(response)) return;
  }
  response.end();
}

// Whether there is room again, and not an end.
const drained = (response) => new Promise((resolve) => {
  const settle = (open) => () => {
    response.off('drain', room).off('close', end);
    resolve(open);
  };
  const [room, end] = [settle(true), settle(false)];
  response.once('drain', room).once('close', end);
});

function up(parameters, request, response) {
  const hash = crypto.createHash('sha256');
  let bytes = 0;
  const read = () => request.on('data', (part) => { bytes += part.length; hash.update(part); });
  request.on('end', () => json(response, { bytes, sha256: hash.digest('hex'), headers: request.headers }));
  request.on('aborted', () => state.ended.push('up'));
  if (!parameters.has('hold')) return read();
  state.held += 1;
  return held.add(read);
}

function events(response) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.write(': hello\n\n');
  const write = (text) => response.write(`data: ${text}\n\n`);
  listeners.add(write);
  state.open += 1;
  response.on('close', () => {
    listeners.delete(write);
    state.open -= 1;
    state.ended.push('events');
  });
}

function slow(parameters, response) {
  const id = parameters.get('id');
  state.seen[id] = (state.seen[id] ?? 0) + 1;
  setTimeout(() => response.end(id), Number(parameters.get('ms')));
}

const json = (response, value) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
};

function serve(request, response) {
  const { pathname, searchParams } = new URL(request.url, 'http://peer');
  const { method, headers, httpVersion: version } = request;
  // An HTTP/2 request that nobody reads is reset when its answer was written, and before that has gone out.
  if (!pathname.endsWith('/up')) request.resume();
  switch (pathname.split('/').at(-1)) {
    case 'down': return down(searchParams, response);
    case 'up': return up(searchParams, request, response);
    case 'events': return events(response);
    case 'slow': return slow(searchParams, response);
    default: return json(response, { method, path: request.url, version, headers });
  }
}

async function control(request, response) {
  let text = '';
  for await (const part of request.setEncoding('utf8')) text += part;
  if (request.url === '/event') for (const write of listeners) write(text);
  if (request.url === '/release') {
    for (const read of held) read();
    held.clear();
  }
  json(response, state);
}

const listen = (server, answer) => new Promise((listening) => {
  server.on('request', answer).listen(0, '127.0.0.1', () => listening(server.address().port));
});

const [cert, key] = process.argv.slice(2).map((file) => fs.readFileSync(file));
const settings = { initialWindowSize: 1 << 20, maxConcurrentStreams: 1000 };
const servers = {
  http1: http.createServer({ requestTimeout: 0 }),
  http2: http2.createServer({ settings }),
  tls: http2.createSecureServer({ cert, key, settings, allowHTTP1: true }),
};
const ports = { control: await listen(http.createServer(), control) };
for (const [name, server] of Object.entries(servers)) ports[name] = await listen(server, serve);
console.log(JSON.stringify(ports));
