// npm `auth0/legacy`: the Management API client of version 4, which many have not left.

import { ManagementClient } from "auth0/legacy";

import { options, talk } from "./talk.mjs";

const auth0 = new ManagementClient(options());
const body = async (answer) => (await answer).data;

/** All pages by their numbers, until the total is reached. */
async function numbered(page, key) {
  const turned = [];
  for (let seen = 0, number = 0; ; number += 1) {
    const { total, [key]: items } = await body(page({ page: number, include_totals: true }));
    turned.push(items);
    seen += items.length;
    if (seen >= total || items.length === 0) return turned;
  }
}

/** All pages, each of which names the next. */
async function chained(page, key) {
  const turned = [];
  for (let from; ;) {
    const { next, [key]: items } = await body(page(from ? { from } : {}));
    turned.push(items);
    if (!next) return turned;
    from = next;
  }
}

await talk({
  "grants.create": (grant) => body(auth0.clientGrants.create(grant)),
  "grants.update": (id, change) => body(auth0.clientGrants.update({ id }, change)),
  "grants.delete": (id) => body(auth0.clientGrants.delete({ id })),
  "grants.all": async (filter) => [await body(auth0.clientGrants.getAll(filter))],
  "grants.array": async (page, size) => [await body(auth0.clientGrants.getAll({ page, per_page: size }))],
  "grants.pages": (size, filter) =>
    numbered((at) => auth0.clientGrants.getAll({ per_page: size, ...filter, ...at }), "client_grants"),
  "grants.checkpoints": (take, filter) =>
    chained((at) => auth0.clientGrants.getAll({ take, ...filter, ...at }), "client_grants"),
  "grants.organizations": (id, take) =>
    chained((at) => auth0.clientGrants.getAllOrganizations({ id, take, ...at }), "organizations"),

  "organization.add": (id, grant) => body(auth0.organizations.postOrganizationClientGrants({ id }, { grant_id: grant })),
  "organization.grants": (id, size) =>
    numbered((at) => auth0.organizations.getOrganizationClientGrants({ id, per_page: size, ...at }), "client_grants"),
  "organization.remove": (id, grant) =>
    body(auth0.organizations.deleteClientGrantsByGrantId({ id, grant_id: grant })),

  "apis.create": (api) => body(auth0.resourceServers.create(api)),
  "apis.get": (id) => body(auth0.resourceServers.get({ id })),
  "apis.update": (id, change) => body(auth0.resourceServers.update({ id }, change)),
  "apis.delete": (id) => body(auth0.resourceServers.delete({ id })),
  "apis.all": async (filter) => [await body(auth0.resourceServers.getAll(filter))],
  "apis.pages": (size) =>
    numbered((at) => auth0.resourceServers.getAll({ per_page: size, ...at }), "resource_servers"),

  "clients.all": async () => [await body(auth0.clients.getAll())],
  "clients.get": (id) => body(auth0.clients.get({ client_id: id })),
}, (error) => error.statusCode && {
  status: error.statusCode, code: error.errorCode, message: error.msg ?? error.message,
});
