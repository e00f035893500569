// What a client of npm is driven by: a call per line, `[name, ...arguments]`, and what became of it per line,
// `{returned}` or `{refused: {status, code, message}}`, and how many requests that took. A client has not
// everything: `{missing: true}`.

import { createInterface } from "node:readline";

let requests = 0;
const real = globalThis.fetch;
globalThis.fetch = (...parts) => {
  requests += 1;
  return real(...parts);
};

/** Where the client goes, and by what: a token, or an application's id and secret, with which it asks for one. */
export function options() {
  const { MANAGEMENT_DOMAIN: domain, MANAGEMENT_TOKEN: token } = process.env;
  const { MANAGEMENT_CLIENT: clientId, MANAGEMENT_SECRET: clientSecret } = process.env;
  return token ? { domain, token } : { domain, clientId, clientSecret };
}

/** Answers until the input ends. `calls` are functions by their names, `refused` reads a client's error. */
export async function talk(calls, refused) {
  for await (const line of createInterface({ input: process.stdin })) {
    const [name, ...parts] = JSON.parse(line);
    requests = 0;
    const said = calls[name] ? await tried(() => calls[name](...parts), refused) : { missing: true };
    console.log(JSON.stringify({ ...said, requests }));
  }
}

async function tried(call, refused) {
  try {
    return { returned: (await call()) ?? null };
  } catch (error) {
    return { refused: refused(error) ?? { message: String(error?.stack ?? error) } };
  }
}
