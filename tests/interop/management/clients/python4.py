"""PyPI `auth0-python` 4, which many have not left: its Management API client, as its README shows it."""

import requests
from auth0.authentication import GetToken
from auth0.exceptions import Auth0Error
from auth0.management import Auth0

import talk

requests.Session.send = talk.counted(requests.Session.send)


def fetched():
    """A token of one's own, as its users ask for one."""
    machine = GetToken(talk.DOMAIN, talk.CLIENT, client_secret=talk.SECRET)
    return machine.client_credentials(f"https://{talk.DOMAIN}/api/v2/")["access_token"]


class Manager:
    """The client, whose token is asked for when it is first needed."""

    def __getattr__(self, name):
        auth0 = Auth0(talk.DOMAIN, talk.TOKEN or fetched())
        self.__dict__.update(grants=auth0.client_grants, apis=auth0.resource_servers,
                             organizations=auth0.organizations, clients=auth0.clients)
        return self.__dict__[name]


def numbered(page, key):
    """All pages by their numbers, until the total is reached."""
    turned, seen = [], 0
    while True:
        answer = page(page=len(turned), include_totals=True)
        turned.append(answer[key])
        seen += len(answer[key])
        if seen >= answer["total"] or not answer[key]:
            return turned


def chained(page, key):
    """All pages, each of which names the next."""
    turned, at = [], None
    while True:
        answer = page(from_param=at)
        turned.append(answer[key])
        at = answer.get("next")
        if not at:
            return turned


def refused(error):
    if isinstance(error, Auth0Error):
        return {"status": error.status_code, "code": error.error_code, "message": error.message}
    return None


auth0 = Manager()

talk.talk({
    "grants.create": lambda body: auth0.grants.create(body),
    "grants.update": lambda id, body: auth0.grants.update(id, body),
    "grants.delete": lambda id: auth0.grants.delete(id),
    "grants.all": lambda filter: [auth0.grants.all(**filter)],
    "grants.array": lambda page, size: [auth0.grants.all(page=page, per_page=size)],
    "grants.pages": lambda size, filter: numbered(
        lambda **at: auth0.grants.all(per_page=size, **filter, **at), "client_grants"),
    "grants.organizations": lambda id, take: chained(
        lambda **at: auth0.grants.get_organizations(id, take=take, **at), "organizations"),

    "organization.add": lambda id, grant: auth0.organizations.add_client_grant(id, grant),
    "organization.grants": lambda id, size: numbered(
        lambda **at: auth0.organizations.get_client_grants(id, per_page=size, **at), "client_grants"),
    "organization.remove": lambda id, grant: auth0.organizations.delete_client_grant(id, grant),

    "apis.create": lambda body: auth0.apis.create(body),
    "apis.get": lambda id: auth0.apis.get(id),
    "apis.update": lambda id, body: auth0.apis.update(id, body),
    "apis.delete": lambda id: auth0.apis.delete(id),
    "apis.all": lambda filter: [auth0.apis.get_all(**filter)],
    "apis.pages": lambda size: numbered(
        lambda **at: auth0.apis.get_all(per_page=size, **at), "resource_servers"),

    "clients.all": lambda: [auth0.clients.all()],
    "clients.get": lambda id: auth0.clients.get(id),
}, refused)
