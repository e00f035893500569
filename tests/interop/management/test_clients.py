"""Auth0's own clients of the Management API, as their users call them: npm `auth0` and `auth0/legacy`, PyPI
`auth0-python` 6 and 4, each in a process of its own. The same is asked of all of them, as far as they have it."""

import contextlib
import itertools
import os

import managed
from managed import gate

ORDERS = "https://orders.example"
MISSING = "cgr_000000000000none"
MADE = {"client_id": "storefront", "audience": ORDERS, "subject_type": "user", "scope": ["read:orders"]}
FOR_ORGANIZATIONS = {"client_id": "storefront", "audience": ORDERS, "scope": ["read:orders"], "organization_usage": "allow"}
FOR_ANY = {**FOR_ORGANIZATIONS, "client_id": "reporter-of-all", "allow_any_organization": True}
API = {"identifier": "https://invoices.example/v1", "name": "Invoices", "token_lifetime": 3600,
       "scopes": [{"value": "read:invoices", "description": "Read invoices"}, {"value": "write:invoices"}]}


def python(version):
    return [os.environ[f"PYTHON_WITH_AUTH0_{version}"], f"python{version}.py"]


class Clients:
    """What is asked of each client. `again` is how often it asks again after a conflict."""

    command, again = None, 0

    def setUp(self):
        """Each test begins with the files as people wrote them, and leaves them like that, byte for byte."""
        self.gate = self.managed()
        self.client = self.started(client="deploy-tool", secret=managed.SECRETS["DEPLOY_SECRET"])
        self.addCleanup(lambda: self.assertEqual(self.gate.text(), managed.GRANTS))

    def started(self, **credential):
        client = managed.Client(self.command, self.gate.domain, self.certificates, **credential)
        self.addCleanup(client.end)
        return client

    @contextlib.contextmanager
    def refused(self, status, code=None):
        with self.assertRaises(managed.Refused) as caught:
            yield caught
        self.assertEqual(caught.exception.status, status, caught.exception)
        if code:
            self.assertEqual(caught.exception.code, code)

    def made(self, body):
        """A grant that goes with the test."""
        before = self.gate.text()
        grant = self.client("grants.create", body)
        removed, added = self.kept(before, self.gate.text())
        self.assertEqual(removed, [])
        self.assertTrue(added)
        return grant

    def gone(self, grant):
        self.assertFalse(self.client("grants.delete", grant["id"]))

    def test_a_grant_is_made_read_changed_and_deleted(self):
        grant = self.made(MADE)
        self.assertRegex(grant["id"], "^cgr_[0-9A-Za-z]{16}$")
        self.assertEqual(grant, {"id": grant["id"], **MADE})
        with contextlib.suppress(managed.Missing):
            self.assertEqual(self.client("grants.get", grant["id"]), grant)

        before = self.gate.text()
        changed = self.client("grants.update", grant["id"], {"scope": ["read:orders", "write:orders"]})
        self.assertEqual(changed, {**grant, "scope": ["read:orders", "write:orders"]})
        removed, added = self.kept(before, self.gate.text())
        self.assertLessEqual((len(removed), len(added)), (1, 1))
        before = self.gate.text()
        self.assertEqual(self.client("grants.update", grant["id"], {"scope": ["read:orders", "write:orders"]}), changed)
        self.assertEqual(self.gate.text(), before)

        self.assertEqual(self.client("grants.update", grant["id"], {"scope": []})["scope"], [])
        self.gone(grant)
        with contextlib.suppress(managed.Missing), self.refused(404):
            self.client("grants.get", grant["id"])

    def test_a_grant_that_people_wrote_keeps_its_comments(self):
        [[written]] = self.client("grants.all", {"client_id": "reporter"})
        before = self.gate.text()
        self.client("grants.update", written["id"], {"scope": ["read:orders", "write:orders"]})
        removed, added = self.kept(before, self.gate.text())
        self.assertEqual((len(removed), len(added)), (1, 1))
        self.assertRegex(added[0], r"scope: \[read:orders, write:orders\] +# see the review of May")
        self.client("grants.update", written["id"], {"scope": ["read:orders"]})

    def test_a_second_grant_of_its_kind_is_a_conflict(self):
        grant = self.made(MADE)
        before = self.gate.text()
        with self.refused(409) as caught:
            self.client("grants.create", {**MADE, "scope": []})
        self.assertEqual(caught.exception.requests, 1 + self.again)
        self.assertEqual(self.gate.text(), before)
        machine = self.made({**MADE, "subject_type": "client"})
        self.gone(machine)
        self.gone(grant)

    def test_what_is_not_there_is_not_found(self):
        with self.refused(404):
            self.client("grants.update", MISSING, {"scope": []})
        with self.refused(404):
            self.client("grants.create", {**MADE, "audience": "https://nobody.example"})
        with self.refused(404, "inexistent_resource_server"):
            self.client("apis.get", "0123456789abcdef01234567")
        with self.refused(404, "inexistent_client"):
            self.client("clients.get", "nobody")
        with self.refused(404):
            self.client("organization.add", "org_acme", MISSING)

    def test_what_is_wrong_is_said(self):
        with self.refused(400, "invalid_body") as caught:
            self.client("grants.create", {**MADE, "scope": "read:orders"})
        self.assertIn("scope", caught.exception.message)
        with self.refused(400) as caught:
            self.client("grants.create", {**MADE, "allow_all_scopes": True})
        self.assertIn("allow_all_scopes", caught.exception.message)
        with self.refused(403):
            self.client("grants.create", {"client_id": "deploy-tool", "audience": managed.MANAGEMENT, "scope": []})

    def test_grants_are_listed_in_every_kind_of_pages(self):
        made = [self.made({"client_id": f"app-{number}", "audience": ORDERS, "subject_type": kind, "scope": ["read:orders"]})
                for number, kind in zip(range(7), itertools.cycle(["client", "user"]))]
        made.append(self.client("grants.all", {"client_id": "reporter"})[0][0])
        ids = sorted(grant["id"] for grant in made)
        ways = {"grants.all": [{}], "grants.checkpoints": [3, {}], "grants.pages": [3, {}], "grants.array": [0, 100]}
        tried = 0
        for name, parts in ways.items():
            with self.subTest(name), contextlib.suppress(managed.Missing):
                pages = self.client(name, *parts)
                self.assertEqual(sorted(grant["id"] for page in pages for grant in page), ids)
                if 3 in parts:
                    self.assertEqual([len(page) for page in pages if page], [3, 3, 2])
                tried += 1
        self.assertGreaterEqual(tried, 2)
        [[one]] = self.client("grants.all", {"client_id": "app-1", "audience": ORDERS})
        self.assertEqual(one, made[1])
        self.assertEqual(self.client("grants.all", {"client_id": "app-1", "audience": "https://nobody.example"}), [[]])
        with contextlib.suppress(managed.Missing):
            [page] = self.client("grants.checkpoints", 50, {"subject_type": "user"})
            self.assertEqual(sorted(grant["client_id"] for grant in page), ["app-1", "app-3", "app-5"])
        for grant in made[:-1]:
            self.gone(grant)

    def test_an_api_is_made_read_changed_and_deleted(self):
        before = self.gate.text()
        api = self.client("apis.create", API)
        removed, added = self.kept(before, self.gate.text())
        self.assertEqual(removed, [])
        self.assertTrue(any("invoices.example" in line for line in added))
        self.assertRegex(api["id"], "^[0-9a-f]{24}$")
        self.assertEqual(api["subject_type_authorization"],
                         {"client": {"policy": "require_client_grant"}, "user": {"policy": "allow_all"}})
        self.assertEqual({key: api[key] for key in API}, API)
        self.assertIs(api["is_system"], False)
        self.assertEqual(self.client("apis.get", api["id"]), api)
        if self.escapes:
            self.assertEqual(self.client("apis.get", API["identifier"]), api)

        before = self.gate.text()
        changed = self.client("apis.update", api["id"], {"subject_type_authorization": {"client": {"policy": "deny_all"}}})
        self.assertEqual(changed["subject_type_authorization"],
                         {"client": {"policy": "deny_all"}, "user": {"policy": "allow_all"}})
        removed, added = self.kept(before, self.gate.text())
        self.assertEqual((len(removed), len(added)), (1, 1))
        fewer = self.client("apis.update", api["id"], {"scopes": API["scopes"][:1], "token_lifetime": 60})
        self.assertEqual((fewer["scopes"], fewer["token_lifetime"]), (API["scopes"][:1], 60))

        with self.refused(409) as caught:
            self.client("apis.create", API)
        self.assertEqual(caught.exception.requests, 1 + self.again)
        self.client("apis.delete", api["id"])
        with self.refused(404):
            self.client("apis.get", api["id"])

    def test_apis_are_listed_in_every_kind_of_pages(self):
        made = [self.client("apis.create", {"identifier": f"https://{name}.example", "name": name})["id"] for name in "abcd"]
        known = sorted([ORDERS, *(f"https://{name}.example" for name in "abcd")])
        for name, parts in {"apis.all": [{}], "apis.pages": [2]}.items():
            with self.subTest(name):
                pages = self.client(name, *parts)
                self.assertEqual(sorted(api["identifier"] for page in pages for api in page), known)
        self.assertEqual([len(page) for page in self.client("apis.pages", 2) if page], [2, 2, 1])
        for api in made:
            self.client("apis.delete", api)

    def test_organizations_are_associated_listed_and_removed(self):
        grant = self.made(FOR_ORGANIZATIONS)
        for organization in ("org_acme", "org_umbrella"):
            before = self.gate.text()
            associated = self.client("organization.add", organization, grant["id"])
            self.kept(before, self.gate.text())
            self.assertEqual(associated["client_id"], "storefront")
        with self.refused(409) as caught:
            self.client("organization.add", "org_acme", grant["id"])
        self.assertEqual(caught.exception.requests, 1 + self.again)
        pages = self.client("grants.organizations", grant["id"], 1)
        self.assertEqual([one["id"] for page in pages for one in page], ["org_acme", "org_umbrella"])
        [one] = sum(self.client("organization.grants", "org_acme", 10), [])
        self.assertEqual((one["id"], one["audience"]), (grant["id"], ORDERS))
        self.client("organization.remove", "org_acme", grant["id"])
        self.assertEqual(sum(self.client("organization.grants", "org_acme", 10), []), [])
        self.client("organization.remove", "org_umbrella", grant["id"])
        any_of_them = self.made(FOR_ANY)
        self.assertEqual(self.client("grants.all", {"allow_any_organization": True}), [[any_of_them]])
        self.gone(any_of_them)
        self.gone(grant)

    def test_applications_are_listed(self):
        [page] = self.client("clients.all")
        names = {client["client_id"]: client.get("name") for client in page}
        self.assertEqual(names["reporter"], "Nightly report")
        self.assertEqual(self.client("clients.get", "storefront")["name"], "The shop, itself")

    def test_tokens_come_from_here_and_from_trusted_issuers(self):
        console = self.started(token=self.keys.token())
        self.assertEqual(console("grants.all", {"client_id": "reporter"}), self.client("grants.all", {"client_id": "reporter"}))
        grant = console("grants.create", MADE)
        console("grants.delete", grant["id"])
        ours = self.started(token=self.gate.token)
        self.assertEqual(len(ours("apis.all", {})[0]), 1)

    def test_who_may_not_is_refused(self):
        auditor = self.started(client="auditor", secret=managed.SECRETS["AUDITOR_SECRET"])
        self.assertEqual(len(auditor("apis.all", {})[0]), 1)
        with self.refused(403, "insufficient_scope"):
            auditor("grants.create", MADE)
        with self.refused(401):
            self.started(token="not-a-token")("apis.all", {})
        with self.refused(401):
            self.started(token=gate.token("console", audience=managed.AUDIENCE))("apis.all", {})
        with self.refused(401):
            self.started(token=self.keys.token(audience=ORDERS))("apis.all", {})
        with self.refused(403):
            self.started(token=self.keys.token("stranger"))("apis.all", {})
        with self.refused(401):
            self.started(client="deploy-tool", secret="a guess")("apis.all", {})


class Node(Clients, managed.Suite):
    """npm `auth0`."""

    command, escapes = ["node", "node.mjs"], True


class Legacy(Clients, managed.Suite):
    """npm `auth0/legacy`."""

    command, escapes = ["node", "legacy.mjs"], True


class Python6(Clients, managed.Suite):
    """PyPI `auth0-python`, current: it asks again after a conflict."""

    command, escapes, again = python(6), True, 2


class Python4(Clients, managed.Suite):
    """PyPI `auth0-python` 4, which does not escape what it puts into a path."""

    command, escapes = python(4), False
