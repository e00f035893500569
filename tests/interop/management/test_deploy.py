"""npm `auth0-deploy-cli`: what it exports of one gate it imports into an empty one, of which it then exports the same;
what is there already it leaves as it is, byte for byte; and what is gone it removes where it may."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import managed
from managed import gate

KINDS = ["resourceServers", "clientGrants"]
NAMES = [{"client_id": "reporter", "name": "Nightly report"}, {"client_id": "storefront", "name": "The shop, itself"}]
PAYMENTS = """\
  # Payments have no scopes of their own.
  - identifier: https://payments.example
    id: 65f1a2b3c4d5e6f708192a3b
    name: Payments
    token_dialect: rfc9068_profile
    token_lifetime: 600
    authorization_details: [{type: payment}]
    subject_type_authorization: {user: {policy: allow_all}, client: {policy: deny_all}}
"""
LEDGER = """\
  - id: cgr_0123456789abcDEF
    client_id: ledger
    audience: https://payments.example
    subject_type: user
    scope: []
    authorization_details_types: [payment]
"""
GRANTS = f"""\
# What a shop has: every kind of API and grant, but for defaults of third parties, of which the tool itself cannot take
# back what it exports.
resource_servers:
  # Orders are read by many, and written by few.
  - identifier: https://orders.example    # as every token names it
    name: Orders
    scopes:
      - value: read:orders                # the common one
      - {{value: write:orders, description: Write orders}}
    subject_type_authorization:
      user: {{policy: require_client_grant}}
      client: {{policy: require_client_grant}}
{PAYMENTS}client_grants:
  # The nightly report reads, and nothing else.
  - client_id: reporter
    audience: https://orders.example
    scope: [read:orders]                  # see the review of May
  - client_id: storefront
    audience: https://orders.example
    allow_all_scopes: true                # it is ours
    organization_usage: allow
    allow_any_organization: true
{LEDGER}"""
GRANTS_WITHOUT_PAYMENTS = GRANTS.replace(PAYMENTS, "").replace(LEDGER, "")
# A second grant of an application for the same API: the tool writes both into one file of a directory.
SECOND = """\
  - {client_id: storefront, audience: "https://orders.example", subject_type: user, scope: [read:orders, write:orders]}
"""


class Deploy(managed.Suite):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="grantgate-deploy-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)

    def deploy(self, to, *parts, **settings):
        """Runs the tool as one would, and returns what it said."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AUTH0_")}
        environment |= {"AUTH0_DOMAIN": to.domain, "AUTH0_CLIENT_ID": "deploy-tool",
                        "AUTH0_CLIENT_SECRET": managed.SECRETS["DEPLOY_SECRET"], "AUTH0_INCLUDED_ONLY": json.dumps(KINDS),
                        "NODE_EXTRA_CA_CERTS": str(self.certificates.ca), **settings}
        ran = subprocess.run(["node", managed.HERE / "node_modules/auth0-deploy-cli/lib/index.js", *parts], cwd=self.folder,
                             env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             timeout=4 * gate.PATIENCE, text=True)
        self.assertEqual(ran.returncode, 0, ran.stdout)
        return ran.stdout

    def exported(self, of, form):
        """A new export: where it is, and what is in each of its files, in whatever order."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        self.deploy(of, "export", "--format", form, "--output_folder", folder)
        files = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}
        if form == "directory":
            return folder, {name: json.loads(text) for name, text in files.items()}
        items = re.split("^(?=  - )|^(?=[a-z])", files.pop("tenant.yaml"), flags=re.MULTILINE)
        self.assertEqual(files, {})
        return folder / "tenant.yaml", sorted(items)

    def taken_over(self, form, grants):
        """An export of a gate, and an empty gate that it was imported into, whose own export is the same.

        Its `grants.yaml` comes to be with the first write.
        """
        source, before = self.exported(self.managed(grants, clients=NAMES), form)
        empty = self.managed(None, clients=NAMES)
        self.deploy(empty, "import", "--input_file", source)
        self.assertEqual(self.exported(empty, form)[1], before)
        return source, empty

    def test_a_yaml_export_makes_the_same_of_an_empty_gate_once(self):
        source, taken = self.taken_over("yaml", GRANTS + SECOND)
        exported = source.read_text()
        for part in ("https://orders.example", "Write orders", "rfc9068_profile", "Nightly report", "allow_all_scopes: true",
                     "type: payment", "- payment", "ledger"):
            self.assertIn(part, exported)
        self.assertNotIn(managed.MANAGEMENT, exported)
        self.assertEqual(exported.count("client_id: The shop, itself"), 2)
        before = taken.files()
        self.deploy(taken, "import", "--input_file", source)
        self.assertEqual(taken.files(), before)

    def test_a_directory_does_too(self):
        self.taken_over("directory", GRANTS)

    def test_an_import_leaves_what_is_there_as_it_is_and_removes_what_is_gone_where_it_may(self):
        written = self.managed(GRANTS, clients=NAMES)
        before = written.files()
        source, exported = self.exported(written, "directory")
        self.deploy(written, "import", "--input_file", source)
        self.assertEqual(written.files(), before)

        gone = ["resource-servers/Payments.json", "grants/ledger-Payments.json"]
        for name in gone:
            (source / name).unlink()
        self.deploy(written, "import", "--input_file", source, AUTH0_ALLOW_DELETE="true")
        self.assertEqual(self.exported(written, "directory")[1],
                         {name: said for name, said in exported.items() if name not in gone})
        self.assertEqual(written.text(), GRANTS_WITHOUT_PAYMENTS)
