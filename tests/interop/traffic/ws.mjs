// The `ws` package at either end of a WebSocket. Every line on standard output is JSON.
//
// ws.mjs server             echoes each message as it came → { port }, then { headers } of each that comes and
//                           { code, reason } of each that ends
// ws.mjs echo OPTIONS       sends { messages: [sizes], parts } and compares what returns → { equal, extensions, code }
// ws.mjs wait OPTIONS       → { open: true }, and { code, reason } when it ends
// OPTIONS: { url, headers, ca, origin, protocols, messages, parts }
import crypto from 'node:crypto';
import fs from 'node:fs';
import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';

const say = (value) => console.log(JSON.stringify(value));
const [mode, text = '{}'] = process.argv.slice(2);
const { url, headers, ca, origin, protocols = [], messages = [], parts = 1 } = JSON.parse(text);

const ended = (socket) => new Promise((resolve) => {
  socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
});

// Sends a message in as many frames as it is told.
function send(socket, data, binary) {
  const step = Math.ceil(data.length / parts);
  for (let part = 0; part < parts; part += 1) {
    socket.send(data.subarray(part * step, (part + 1) * step), { binary, fin: part === parts - 1 });
  }
}

async function echo(socket) {
  let equal = 0;
  for (const size of messages) {
    const data = crypto.randomBytes(size);
    const answer = once(socket, 'message');
    send(socket, data, true);
    const [echoed, binary] = await answer;
    if (binary && echoed.equals(data)) equal += 1;
  }
  const pong = once(socket, 'pong');
  socket.ping('are you there');
  await pong;
  const end = ended(socket);
  socket.close(1000, 'done');
  say({ equal, extensions: socket.extensions, protocol: socket.protocol, ...await end });
}

if (mode === 'server') {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: 1 << 30 });
  server.on('listening', () => say({ port: server.address().port }));
  server.on('connection', (socket, request) => {
    say({ headers: request.headers });
    socket.on('message', (data, binary) => socket.send(data, { binary }));
    socket.on('error', (error) => say({ error: error.message }));
    ended(socket).then(say);
  });
} else {
  const socket = new WebSocket(url, protocols, { headers, origin, ca: ca && fs.readFileSync(ca), maxPayload: 1 << 30 });
  socket.on('error', (error) => say({ error: error.message }));
  await new Promise((opened) => socket.once('open', opened));
  if (mode === 'echo') {
    await echo(socket);
  } else {
    const end = ended(socket);
    say({ open: true });
    say(await end);
  }
}
