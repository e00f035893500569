"""Exports of the real `auth0-deploy-cli`, for which the gate's own Management API stands in: both forms are imported, and
give the same grants."""

import pathlib
import re
import shutil
import sys
import tempfile

import imported

sys.path.insert(0, str(imported.HERE.parent / "management"))

import managed  # noqa: E402: it lies beside
import test_deploy  # noqa: E402

CLIENTS = ["Nightly report=reporter", "The shop, itself=storefront", "ledger=ledger"]


def grants(text):
    """Every grant of an import, in whatever order."""
    lines = [line.partition("  # ")[0] for line in text[text.index("client_grants:"):].splitlines()[1:]]
    return sorted(part.strip() for part in re.split(r"^(?=  - )", "\n".join(lines), flags=re.MULTILINE)[1:])


class Exported(managed.Suite):
    deploy, exported = test_deploy.Deploy.deploy, test_deploy.Deploy.exported

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="grantgate-exports-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)

    def imports(self, path, *clients):
        code, text, said = imported.ran("import", "auth0", path, *(part for one in clients for part in ("--client", one)))
        self.assertEqual(code, 0, said)
        imported.checked(self.folder, text)
        return text, said

    def test_both_forms_give_the_same_grants(self):
        of = self.managed(test_deploy.GRANTS, clients=test_deploy.NAMES)
        (yaml, _), (directory, _) = self.exported(of, "yaml"), self.exported(of, "directory")
        both = [self.imports(path, *CLIENTS) for path in (yaml, directory)]
        (first, said), (second, _) = both
        self.assertEqual(grants(first), grants(second))
        self.assertEqual(len(grants(first)), 3)
        self.assertIn("APIs: 2", said)
        self.assertNotIn("not imported", said)
        for part in ("allow_all_scopes: true", "allow_any_organization: true", "client: {policy: deny_all}",
                     "authorization_details_types: [payment]", 'scope: ["read:orders"]', "client_id: storefront"):
            self.assertIn(part, first)
        self.assertNotIn(managed.MANAGEMENT, first)

    def test_a_grant_whose_application_is_not_known_is_named(self):
        of = self.managed(test_deploy.GRANTS, clients=test_deploy.NAMES)
        text, said = self.imports(self.exported(of, "yaml")[0])
        self.assertEqual(grants(text), [])
        for name in ("Nightly report", "The shop, itself", "ledger"):
            self.assertIn(f'id is not in the export: `--client "{name}=ID"` tells it', said)
