// A steady load on the gate, and what became of each request.
// steady(url, token, { workers, pause }) → { results, stop() }; `token()` gives [name, token] for each request.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const agent = new http.Agent({ keepAlive: true, maxSockets: 1024 });

// Asks once. → { status, code, retryAfter, ms }
export function ask(url, token) {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    const request = http.get(`${url}/posts`, { agent, headers: { authorization: `Bearer ${token}` } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (data) => { text += data; }).on('end', () => {
        const { statusCode: status, headers } = response;
        const code = status === 200 ? 'ok' : JSON.parse(text).code;
        resolve({ status, code, retryAfter: headers['retry-after'], ms: performance.now() - begun });
      });
    });
    request.on('error', reject);
  });
}

export function steady(url, token, { workers = 8, pause = 20 } = {}) {
  const results = [];
  let going = true;
  const work = async () => {
    while (going) {
      const [name, text] = token();
      const at = performance.now();
      results.push({ name, at, ...await ask(url, text) });
      await sleep(pause);
    }
  };
  const working = Array.from({ length: workers }, work);
  return {
    results,
    async stop() {
      going = false;
      await Promise.all(working);
      return results;
    },
  };
}

export const tally = (results, key) => {
  const counts = {};
  for (const result of results) counts[key(result)] = (counts[key(result)] ?? 0) + 1;
  return counts;
};

export const slowest = (results) => Math.round(Math.max(...results.map((result) => result.ms)));
