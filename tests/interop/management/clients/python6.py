"""PyPI `auth0-python`, current: its Management API client, as its README shows it."""

import json

import httpx
from auth0.management import ManagementClient
from auth0.management.core.api_error import ApiError

import talk

httpx.Client.send = talk.counted(httpx.Client.send)
credential = {"token": talk.TOKEN} if talk.TOKEN else {"client_id": talk.CLIENT, "client_secret": talk.SECRET}
auth0 = ManagementClient(domain=talk.DOMAIN, **credential)


def plain(model):
    return model if model is None else json.loads(model.json())


def pages(pager):
    """All pages of a list, as one turns them by hand."""
    return [[plain(item) for item in page.items or []] for page in pager.iter_pages()]


def every(pager):
    """All of a list at once, as one iterates over it."""
    return [[plain(item) for item in pager]]


def refused(error):
    if isinstance(error, ApiError):
        body = error.body if isinstance(error.body, dict) else {}
        return {"status": error.status_code, "code": body.get("errorCode"), "message": body.get("message")}
    if isinstance(error, httpx.HTTPStatusError):
        return {"status": error.response.status_code, "message": str(error)}
    return None


grants, apis, organizations = auth0.client_grants, auth0.resource_servers, auth0.organizations

talk.talk({
    "grants.create": lambda body: plain(grants.create(**body)),
    "grants.get": lambda id: plain(grants.get(id)),
    "grants.update": lambda id, body: plain(grants.update(id, **body)),
    "grants.delete": grants.delete,
    "grants.all": lambda filter: every(grants.list(**filter)),
    "grants.checkpoints": lambda take, filter: pages(grants.list(take=take, **filter)),
    "grants.organizations": lambda id, take: pages(grants.organizations.list(id, take=take)),

    "organization.add": lambda id, grant: plain(organizations.client_grants.create(id, grant_id=grant)),
    "organization.grants": lambda id, size: pages(organizations.client_grants.list(id, per_page=size)),
    "organization.remove": organizations.client_grants.delete,

    "apis.create": lambda body: plain(apis.create(**body)),
    "apis.get": lambda id: plain(apis.get(id)),
    "apis.update": lambda id, body: plain(apis.update(id, **body)),
    "apis.delete": apis.delete,
    "apis.all": lambda filter: every(apis.list(**filter)),
    "apis.pages": lambda size: pages(apis.list(per_page=size)),

    "clients.all": lambda: every(auth0.clients.list()),
    "clients.get": lambda id: plain(auth0.clients.get(id)),
}, refused)
