"""The five requests of the model's documentation, each between two calls of a real token, of which the second sees
what the request changed: it decides from the next call on."""

import urllib.error
import urllib.request

import managed
from managed import gate

API = "https://api.my-service.com"
AS_DOCUMENTED = """\
resource_servers:
  # The documentation's example.
  - identifier: https://api.my-service.com
    id: 65f1a2b3c4d5e6f708192a3b
    name: My service
    scopes: [{value: read:item}, {value: update:item}]     # items are all there is
    authorization_details: [{type: payment}, {type: credits_transfer}]
    subject_type_authorization:
      user: {policy: require_client_grant}     # ask first
      client: {policy: require_client_grant}   # machines, too
client_grants: []    # none to begin with
"""
MADE = {"client_id": "app", "audience": API, "scope": ["read:item"], "authorization_details_types": ["payment"],
        "subject_type": "user"}
MACHINE = {"client_id": "app", "audience": API, "scope": ["read:item"]}
UPDATE = {"scope": ["read:item", "update:item"], "authorization_details_types": ["payment", "credits_transfer"]}
POLICIES = {"subject_type_authorization": {"user": {"policy": "require_client_grant"}, "client": {"policy": "deny_all"}}}

# What each operation asks, and the call that a token makes of it.
READ, UPDATED, PAY, TRANSFER = ("GET", "/items"), ("PUT", "/items"), ("POST", "/payments"), ("POST", "/transfers")


class Documented(managed.Suite):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        upstream = managed.Upstream()
        cls.addClassCleanup(upstream.end)
        gated = {"identifier": API, "gate": {
            "upstream": upstream.url, "hs_secret": "${env:TRAFFIC_SECRET}", "issuers": [gate.ISSUER],
            "operations": [{"on": "GET /items", "scopes": ["read:item"]},
                           {"on": "PUT /items", "scopes": ["update:item"]},
                           {"on": "POST /payments", "authorization_details": ["payment"]},
                           {"on": "POST /transfers", "authorization_details": ["credits_transfer"]}]}}
        cls.apis = [gated]

    def setUp(self):
        self.gate = self.managed(AS_DOCUMENTED, apis=self.apis)

    def called(self, call, *, user=True, scope="", details=()):
        """The status that a call with a new token gets."""
        claims = {"authorization_details": [{"type": name} for name in details]} if details else {}
        token = gate.token("app", scope=scope, audience=API, **({"sub": "alice"} if user else {}), **claims)
        method, path = call
        request = urllib.request.Request(f"http://127.0.0.1:{self.gate.port}{path}", method=method,
                                         headers={"Authorization": f"Bearer {token}"})
        try:
            with urllib.request.urlopen(request, timeout=gate.PATIENCE) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def passes(self, call, **token):
        self.assertEqual(self.called(call, **token), 204, call)

    def refused(self, call, **token):
        self.assertEqual(self.called(call, **token), 403, call)

    def asked(self, method, path, body=None, status=200):
        got, answer = self.gate.asked(method, f"/api/v2/{path}", body, token=self.gate.token)
        self.assertEqual(got, status, answer)
        return answer

    def made(self):
        return self.asked("POST", "client-grants", MADE, 201)

    def test_create_lets_in_up_to_its_ceiling(self):
        self.refused(READ, scope="read:item")
        self.refused(PAY, details=["payment"])
        before = self.gate.text()
        made = self.made()
        self.passes(READ, scope="read:item")
        self.passes(PAY, details=["payment"])
        self.refused(UPDATED, scope="update:item")
        self.refused(TRANSFER, details=["credits_transfer"])
        self.refused(READ, user=False, scope="read:item")
        self.assertRegex(made.pop("id"), "^cgr_[0-9A-Za-z]{16}$")
        self.assertEqual(made, MADE)
        self.kept(before, self.gate.text())

    def test_update_raises_the_ceiling(self):
        made = self.made()
        self.refused(UPDATED, scope="read:item update:item")
        self.refused(TRANSFER, details=["payment", "credits_transfer"])
        before = self.gate.text()
        updated = self.asked("PATCH", f"client-grants/{made['id']}", UPDATE)
        self.passes(UPDATED, scope="read:item update:item")
        self.passes(TRANSFER, details=["payment", "credits_transfer"])
        self.passes(READ, scope="read:item update:item")
        self.assertEqual(updated, made | UPDATE)
        self.kept(before, self.gate.text())

    def test_delete_lets_nobody_in_again(self):
        before = self.gate.text()
        made = self.made()
        self.passes(READ, scope="read:item")
        self.assertIsNone(self.asked("DELETE", f"client-grants/{made['id']}", status=204))
        self.refused(READ, scope="read:item")
        self.asked("GET", f"client-grants/{made['id']}", status=404)
        self.kept(before, self.gate.text())

    def test_list_shows_whom_users_are_served_by(self):
        machine = self.asked("POST", "client-grants", MACHINE, 201)
        listed = "client-grants?subject_type=user&audience=https%3A%2F%2Fapi.my-service.com"
        self.assertEqual(self.asked("GET", listed), [])
        self.refused(READ, scope="read:item")
        made = self.made()
        self.assertEqual(self.asked("GET", listed), [made])
        self.passes(READ, scope="read:item")
        self.assertNotEqual(machine["id"], made["id"])

    def test_patch_of_the_policies_denies_machines(self):
        self.made()
        self.asked("POST", "client-grants", MACHINE, 201)
        self.passes(READ, user=False, scope="read:item")
        before = self.gate.text()
        for name in ("65f1a2b3c4d5e6f708192a3b", "https%3A%2F%2Fapi.my-service.com"):
            answer = self.asked("PATCH", f"resource-servers/{name}", POLICIES)
            self.assertEqual(answer["subject_type_authorization"], POLICIES["subject_type_authorization"])
        self.refused(READ, user=False, scope="read:item")
        self.passes(READ, scope="read:item")
        removed, added = self.kept(before, self.gate.text())
        self.assertEqual(removed, ["      client: {policy: require_client_grant}   # machines, too"])
        self.assertEqual(added, ["      client: {policy: deny_all}   # machines, too"])
