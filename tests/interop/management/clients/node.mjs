// npm `auth0`: its Management API client, as its README shows it.

import { ManagementClient, ManagementError } from "auth0";

import { options, talk } from "./talk.mjs";

const auth0 = new ManagementClient(options());

/** All pages of a list, as one turns them by hand. */
async function pages(first) {
  const turned = [];
  for (let page = await first; ; page = await page.getNextPage()) {
    turned.push(page.data);
    if (!page.hasNextPage()) return turned;
  }
}

/** All of a list at once, as one iterates over it. */
async function all(list) {
  const items = [];
  for await (const item of await list) items.push(item);
  return [items];
}

await talk({
  "grants.create": (body) => auth0.clientGrants.create(body),
  "grants.get": (id) => auth0.clientGrants.get(id),
  "grants.update": (id, body) => auth0.clientGrants.update(id, body),
  "grants.delete": (id) => auth0.clientGrants.delete(id),
  "grants.all": (filter) => all(auth0.clientGrants.list(filter)),
  "grants.checkpoints": (take, filter) => pages(auth0.clientGrants.list({ take, ...filter })),
  "grants.organizations": (id, take) => pages(auth0.clientGrants.organizations.list(id, { take })),

  "organization.add": (organization, grant) => auth0.organizations.clientGrants.create(organization, { grant_id: grant }),
  "organization.grants": (organization, size) =>
    pages(auth0.organizations.clientGrants.list(organization, { per_page: size })),
  "organization.remove": (organization, grant) => auth0.organizations.clientGrants.delete(organization, grant),

  "apis.create": (body) => auth0.resourceServers.create(body),
  "apis.get": (id) => auth0.resourceServers.get(id),
  "apis.update": (id, body) => auth0.resourceServers.update(id, body),
  "apis.delete": (id) => auth0.resourceServers.delete(id),
  "apis.all": (filter) => all(auth0.resourceServers.list(filter)),
  "apis.pages": (size) => pages(auth0.resourceServers.list({ per_page: size })),

  "clients.all": () => all(auth0.clients.list()),
  "clients.get": (id) => auth0.clients.get(id),
}, (error) => error instanceof ManagementError && {
  status: error.statusCode, code: error.body?.errorCode, message: error.body?.message ?? error.message,
});
