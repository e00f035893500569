"""Published documents: every operation is listed or named, what comes out is a configuration, and the document itself can
be what a gate refers to."""

import json
import pathlib
import re
import shutil
import tempfile
import unittest

import imported

PACKAGES = imported.HERE / "node_modules"
FIGMA = PACKAGES / "@figma/rest-api-spec/openapi/openapi.yaml"
GALAXY = PACKAGES / "@scalar/galaxy/dist/3.1.json"
PETSTORE = PACKAGES / "@readme/oas-examples/3.0/json/petstore.json"
METHODS = "delete|get|head|options|patch|post|put|trace"


def described(document):
    """How many operations a document describes, by another reading of it."""
    text = document.read_text()
    if document.suffix == ".json":
        paths = json.loads(text)["paths"].values()
        return sum(re.fullmatch(METHODS, key) is not None for item in paths for key in item)
    paths = re.search(r"^paths:\n(.*?)^\S", text, re.MULTILINE | re.DOTALL)[1]
    return len(re.findall(rf"^    (?:{METHODS}):", paths, re.MULTILINE))


def operations(text):
    return re.findall(r"^ *- (\{on: .*?\})(?:  # .*)?$", text, re.MULTILINE)


class Published(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="grantgate-imports-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def imports(self, document, *expected):
        """Imports a document, and returns what is left out of it."""
        code, text, said = imported.ran("import", "openapi", document)
        self.assertEqual(code, 0, said)
        imported.checked(self.folder, text)
        listed = operations(text)
        left_out = re.findall(rf"^ *# not imported: ((?:{METHODS.upper()}) \S+): ", text, re.MULTILINE)
        self.assertEqual(len(listed) + len(left_out), described(document))
        for operation in expected:
            self.assertIn(operation, listed)
        code, _, _ = imported.ran("import", "openapi", document, "--strict")
        self.assertEqual(code, 1 if left_out else 0)
        self.is_referred_to(document, text, listed)
        return left_out

    def is_referred_to(self, document, text, listed):
        """The document in the place of the list."""
        live = self.folder / "live"
        live.mkdir()
        copy = live / document.name
        whole = document.read_text()
        copy.write_text(whole if document.suffix == ".json" else whole + "\n...\n")
        head = text[:text.index("      operations:")]
        configured = f"{head}      openapi: {document.name}\nclient_grants: []\n"
        imported.checked(live, configured)
        # Beside them, those that were imported are written by hand, and none asks less than the document.
        both = text.replace("      operations:", f"      openapi: {document.name}\n      operations:")
        self.assertNotIn("operation-asks-less]: this", imported.checked(live, both))
        self.assertTrue(listed)

    def test_scopes_of_oauth_are_what_operations_ask(self):
        left_out = self.imports(FIGMA, '{on: GET /v1/me, scopes: ["current_user:read", "files:read"]}')
        self.assertIn("POST /v1/developer_logs", left_out)

    def test_every_kind_of_scheme_is_listed_or_named(self):
        self.imports(GALAXY, '{on: GET /planets, public: true}')

    def test_what_asks_for_keys_is_left_out(self):
        left_out = self.imports(PETSTORE, '{on: POST /v2/pet, scopes: ["read:pets", "write:pets"]}')
        self.assertIn("GET /v2/store/inventory", left_out)
