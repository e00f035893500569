"""`schemathesis` against the description that the Management API serves of itself: whatever it is asked, by what the
description allows and by what it does not, it answers what the description says, and never with a fault of its own.
"""

import os
import subprocess

import managed
from managed import gate

CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
          "response_schema_conformance", "negative_data_rejection", "missing_required_header", "unsupported_method",
          "ignored_auth"]


class Schema(managed.Suite):
    def setUp(self):
        self.gate = self.managed()

    def test_the_description_is_served_to_anybody(self):
        status, description = self.gate.asked("GET", "/openapi.json")
        self.assertEqual((status, description["openapi"][:4]), (200, "3.1."))

    def test_it_answers_as_it_is_described(self):
        command = [os.environ["PYTHON_WITH_SCHEMATHESIS"], "-m", "schemathesis.cli",
                   "--config-file", managed.HERE / "schemathesis.toml", "run",
                   f"https://{self.gate.domain}/openapi.json", "--url", f"https://{self.gate.domain}",
                   "--tls-verify", str(self.certificates.ca), "--header", f"Authorization: Bearer {self.gate.token}",
                   "--checks", ",".join(CHECKS),
                   # Searches are known not to be there, and answered 501.
                   "--exclude-path-regex", "/search$",
                   "--phases", "examples,coverage,fuzzing", "--max-examples", "20", "--generation-deterministic",
                   "--no-color"]
        ran = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             timeout=10 * gate.PATIENCE, text=True, cwd=self.certificates.folder)
        self.assertEqual(ran.returncode, 0, ran.stdout[-20000:])
