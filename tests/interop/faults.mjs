// Fourteen ways in which a key set goes wrong. `usable` are those that a gate must take all the same.
import crypto from 'node:crypto';

const JSON_TYPE = { 'content-type': 'application/json', 'cache-control': 'no-store' };

const send = (response, value) => {
  response.writeHead(200, JSON_TYPE).end(typeof value === 'string' ? value : JSON.stringify(value));
};

const faults = {
  status: (_, response) => response.writeHead(503).end('{"error":"maintenance"}'),
  html: (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>maintenance</html>'),
  empty: (_, response) => send(response, { keys: [] }),
  truncated: (keys, response) => send(response, JSON.stringify({ keys }).slice(0, 100)),
  json: (_, response) => send(response, [1, { keys: 'none' }]),
  // Never answers.
  hang: () => {},
  // A byte every half second.
  drip(keys, response) {
    const text = JSON.stringify({ keys });
    response.writeHead(200, JSON_TYPE);
    let at = 0;
    const drop = setInterval(() => {
      if (response.destroyed) return clearInterval(drop);
      return response.write(text[at++] ?? ' ');
    }, 500);
  },
  // 64 MB of space.
  huge(_, response) {
    response.writeHead(200, JSON_TYPE).write('{"keys":[');
    let left = 64;
    const more = () => {
      while (left > 0 && !response.destroyed) {
        left -= 1;
        if (!response.write(' '.repeat(1 << 20))) return response.once('drain', more);
      }
      return response.end(']}');
    };
    more();
  },
  reset: (_, response) => response.socket.destroy(),
  // To where another's keys are.
  redirect: (_, response, elsewhere) => response.writeHead(302, { location: elsewhere }).end(),
};

const usable = {
  // Another key under the same name stands first.
  dupkid: (keys, response) => send(response, { keys: [{ ...stranger(), kid: keys[0].kid }, ...keys] }),
  nokid: (keys, response) => send(response, { keys: keys.map(({ kid, ...key }) => key) }),
  // A symmetric key, which everybody can read and sign with.
  oct: (keys, response) => send(response, { keys: [{ kty: 'oct', k: 'AAAA', kid: keys[0].kid, alg: 'HS256' }, ...keys] }),
  unknown: (keys, response) => {
    const junk = [{ kty: 'AKP', alg: 'ML-DSA-65', pub: 'AAAA', kid: 'pq' }, { kty: 'RSA' }, 7, null];
    send(response, { keys: [...junk, ...keys], extra: [1] });
  },
};

function stranger() {
  const { publicKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...publicKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' };
}

export const BROKEN = Object.keys(faults);
export const USABLE = Object.keys(usable);

// Answers a request for the key set with `fault`: its name, or { name, elsewhere }.
export function answerWith(fault, keys, request, response) {
  const { name, elsewhere } = typeof fault === 'string' ? { name: fault } : fault;
  return (faults[name] ?? usable[name])(keys, response, elsewhere);
}
