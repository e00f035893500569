"""A gate that is managed over HTTP: its files as people wrote them, who may manage it, and other people's clients.

The files are `gateway.yaml`, which only people edit, and `grants.yaml`, full of comments, which the Management API
edits too.
"""

import difflib
import functools
import http.server
import json
import os
import pathlib
import ssl
import subprocess
import sys
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "traffic"))

import gate  # noqa: E402: it lies beside, for every kind of suite

MANAGEMENT = "urn:grantgate:management"
AUDIENCE = "https://grants.example/api/v2/"
SCOPES = [f"{what}:{kind}" for kind in ("client_grants", "resource_servers") for what in ("create", "read", "update", "delete")]
SCOPES += [f"{what}:organization_client_grants" for what in ("create", "read", "delete")] + ["read:clients"]
SECRETS = {"DEPLOY_SECRET": "what the deploy tool shows for its token", "AUDITOR_SECRET": "what the auditor shows for its token"}

GRANTS = """\
# The shop's APIs, and who may use them. People edit this file, and so do their tools.
resource_servers:

  # Orders are read by many, and written by few.
  - identifier: https://orders.example    # as every token names it
    name: Orders
    scopes:
      - value: read:orders                # the common one
      - {value: write:orders, description: Write orders}
    subject_type_authorization:
      user: {policy: require_client_grant}      # nobody writes for a user unasked
      client: {policy: require_client_grant}

clients:
  # Names are for people.
  - {client_id: reporter, name: Nightly report}
  - {client_id: storefront, name: "The shop, itself"}

client_grants:
  # The nightly report reads, and nothing else.
  - client_id: reporter
    audience: https://orders.example
    scope: [read:orders]                  # see the review of May
# The end: append above.
"""


class Keys:
    """An issuer's key, and tokens that it signs for those who manage."""

    def __init__(self, folder):
        self.private, self.public = folder / "issuer.key", folder / "issuer.pem"
        run = functools.partial(subprocess.run, check=True, capture_output=True)
        run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", self.private])
        run(["openssl", "pkey", "-in", self.private, "-pubout", "-out", self.public])

    def token(self, client="console", *, scope=" ".join(SCOPES), audience=AUDIENCE):
        now = time.time()
        claims = {"iss": gate.ISSUER, "aud": audience, "sub": client, "client_id": client, "scope": scope,
                  "iat": now, "exp": now + 600, "jti": os.urandom(8).hex()}
        parts = [gate.base64url(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "at+jwt"}, claims)]
        signed = ".".join(parts)
        made = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.private], input=signed.encode(),
                              check=True, capture_output=True)
        return f"{signed}.{gate.base64url(made.stdout)}"


def configuration(certificates, keys, *, apis=(), clients=()):
    """What stands in `gateway.yaml`: who manages, who issues, and the APIs that are served."""
    granted = [{"client_id": "deploy-tool", "audience": MANAGEMENT, "scope": SCOPES},
               {"client_id": "auditor", "audience": MANAGEMENT,
                "scope": [scope for scope in SCOPES if scope.startswith("read:")]},
               {"client_id": "console", "audience": MANAGEMENT, "issuer": gate.ISSUER, "scope": SCOPES}]
    configured = gate.configuration(list(apis), clients=())
    configured["issuers"] = [{"issuer": gate.ISSUER, "profile": "rfc9068", "leeway": "0s", "pem_file": str(keys.public)}]
    configured["client_grants"] = granted
    configured["management"] = {
        "listen": "127.0.0.1:0", "tls": certificates.tls, "public_url": "https://grants.example", "file": "grants.yaml",
        "issuers": [gate.ISSUER], "rate_limit": 1000,
        "clients": [{"client_id": "deploy-tool", "client_secret": "${env:DEPLOY_SECRET}"},
                    {"client_id": "auditor", "client_secret": "${env:AUDITOR_SECRET}"}],
    }
    configured["clients"] = list(clients)
    return configured


class Managed(gate.Gate):
    """A gate that is managed. `grants` is its file as it was written, or none where it is to come to be; beside it
    there are `files`, texts by their names."""

    def __init__(self, configured, certificates, grants=GRANTS, *, files=None):
        files = {**(files or {}), **({} if grants is None else {"grants.yaml": grants})}
        super().__init__(configured, files=files, environment=SECRETS)
        self.grants = self.folder / "grants.yaml"
        self.domain = self.listens()
        self.certificates = certificates
        self.trust = ssl.create_default_context(cafile=certificates.ca)

    def listens(self):
        """Where it is managed."""
        return self.seen(r'management="?(127\.0\.0\.1:\d+)')[0][1]

    def kill(self):
        """Ends it without a word. Its files stay, for `again`."""
        self.child.kill()
        gate.Process.ended(self)

    def leave(self):
        """Has it end in order. Its files stay."""
        self.child.terminate()
        gate.Process.ended(self)

    def again(self):
        """Starts it on the files that are there."""
        gate.Process.__init__(self, [gate.BINARY, "run", "--config", self.folder],
                              environment={"TRAFFIC_SECRET": gate.SECRET, **SECRETS})
        self.domain = self.listens()

    def text(self):
        """What stands in the file that both edit."""
        return self.grants.read_text() if self.grants.exists() else ""

    def files(self):
        """Every file, and every byte of it."""
        return {path.name: path.read_bytes() for path in self.folder.iterdir() if path.is_file()}

    def asked(self, method, path, body=None, *, token=None, form=None, headers=()):
        """The status and the body of the answer to a plain request; `form` and `body` are mappings."""
        headers, data = dict(headers), None
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers["Content-Type"], data = "application/json", json.dumps(body).encode()
        if form is not None:
            data = urllib.parse.urlencode(form).encode()
        request = urllib.request.Request(f"https://{self.domain}{path}", data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=gate.PATIENCE, context=self.trust) as answer:
                status, said = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                status, said = error.code, error.read()
        return status, json.loads(said) if said else None

    @functools.cached_property
    def token(self):
        """A token of the deploy tool, as it asks for one."""
        status, answer = self.asked("POST", "/oauth/token", form={
            "grant_type": "client_credentials", "client_id": "deploy-tool", "client_secret": SECRETS["DEPLOY_SECRET"],
            "audience": f"https://{self.domain}/api/v2/"})
        assert status == 200, answer
        return answer["access_token"]


class Suite(unittest.TestCase):
    """What every suite here stands on: a certificate, a key, and gates that have to end well."""

    @classmethod
    def setUpClass(cls):
        cls.certificates = gate.Certificates()
        cls.addClassCleanup(cls.certificates.remove)
        cls.keys = Keys(cls.certificates.folder)

    def managed(self, grants=GRANTS, **configured):
        """A gate for one test."""
        started = Managed(configuration(self.certificates, self.keys, **configured), self.certificates, grants)
        self.addCleanup(self.ended_well, started)
        return started

    @staticmethod
    def ended_well(started):
        code = started.end()
        said = "".join(line for _, line in started.lines)
        assert code == 0 and "panicked" not in said, f"the gate ended with {code}:\n{said[-4000:]}"

    def kept(self, before, after):
        """Holds an edit to what a person would have done, and returns the lines removed and added: no comment and no
        other line is touched."""
        lines = [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] in "-+"]
        removed, added = ([line[2:] for line in lines if line[0] == sign] for sign in "-+")
        for line in before.splitlines():
            if comment := line.partition("#")[2]:
                self.assertIn(f"#{comment}", after)
        return removed, added


class Refused(Exception):
    """A client says that it was refused: with which status, code and message, after how many requests."""

    def __init__(self, said, requests):
        super().__init__(said)
        self.status, self.code, self.message = (said.get(key) for key in ("status", "code", "message"))
        self.requests = requests


class Missing(Exception):
    """A client has no such method."""


class Client:
    """Somebody else's client of the Management API, in a process of its own, that is told line by line what to do."""

    def __init__(self, command, domain, certificates, **credential):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AUTH0_")}
        environment |= {"MANAGEMENT_DOMAIN": domain} | {f"MANAGEMENT_{key.upper()}": value for key, value in credential.items()}
        # Each runtime is told of the authority in its own way.
        environment |= dict.fromkeys(["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"], str(certificates.ca))
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=HERE / "clients",
                                      env=environment, text=True)

    def __call__(self, name, *parts):
        """What the client returned."""
        print(json.dumps([name, *parts]), file=self.child.stdin, flush=True)
        line = self.child.stdout.readline()
        assert line, f"the client ended at `{name}`"
        said = json.loads(line)
        if "missing" in said:
            raise Missing(name)
        if "refused" in said:
            raise Refused(said["refused"], said["requests"])
        return said["returned"]

    def end(self):
        self.child.stdin.close()
        self.child.wait(gate.PATIENCE)
        self.child.stdout.close()


class Upstream:
    """What stands behind the gate, and answers everything."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(204)
            self.end_headers()

        do_GET = do_PUT = do_POST = answer

        def log_message(self, *_):
            pass

    def __init__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.serving = threading.Thread(target=self.server.serve_forever)
        self.serving.start()

    def end(self):
        self.server.shutdown()
        self.serving.join()
        self.server.server_close()
