"""The real binary on loopback: configured, followed, edited, measured and ended.

In come configurations as mappings (JSON is YAML); out goes what the gate said and what it takes of memory.
The binary is $GRANTGATE, or the project's release build. `FULL` tells whether the sizes are the large ones
(GRANTGATE_FULL=1) or those of a smoke.
"""

import base64
import contextlib
import hashlib
import hmac
import json
import os
import pathlib
import re
import resource
import shutil
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.request

PROJECT = pathlib.Path(__file__).resolve().parents[3]
BINARY = os.environ.get("GRANTGATE", PROJECT / "target/release/grantgate")
FULL = os.environ.get("GRANTGATE_FULL") == "1"
ISSUER = "https://issuer.example"
SECRET = "a secret of these tests, and of nothing else"
PATIENCE = 30  # how long anything is waited for, in seconds


def token(client="app", *, scope="use", lifetime=600.0, audience="https://api.example", **claims):
    """A token of a machine, as the issuer would sign it; it expires `lifetime` seconds from now."""
    now = time.time()
    claims = {"iss": ISSUER, "aud": audience, "sub": client, "client_id": client, "scope": scope,
              "iat": now, "exp": now + lifetime, "jti": os.urandom(8).hex()} | claims
    parts = [base64url(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "at+jwt"}, claims)]
    signed = ".".join(parts)
    return f"{signed}.{base64url(hmac.digest(SECRET.encode(), signed.encode(), hashlib.sha256))}"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def api(upstream, operations, *, name="", **gate):
    """An API that machines use by their grants, with the one scope `use`."""
    return {
        "identifier": f"https://api.example{name}",
        "scopes": [{"value": "use"}],
        "subject_type_authorization": {"user": {"policy": "deny_all"}, "client": {"policy": "require_client_grant"}},
        "gate": {"upstream": upstream, "hs_secret": "${env:TRAFFIC_SECRET}", "audiences": ["https://api.example"],
                 **gate, "operations": operations},
    }


def configuration(apis, clients=("app",), *, server=None, **sections):
    """A whole configuration: each of `clients` may use each of `apis`."""
    return {
        "server": {"listen": "127.0.0.1:0", "workers": 2, "drain_delay": "0s", **(server or {})},
        "health": {"listen": "127.0.0.1:0"},
        "admin": {"listen": "127.0.0.1:0"},
        "log": {"records": False},
        "issuers": [{"issuer": ISSUER, "profile": "rfc9068", "leeway": "0s", "jwks": {"keys": []}}],
        **sections,
        "resource_servers": apis,
        "client_grants": [{"client_id": client, "audience": api["identifier"], "scope": ["use"]}
                          for client in clients for api in apis],
    }


class Process:
    """A child whose lines are followed."""

    def __init__(self, command, *, environment=None, stream="stderr"):
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, stream: subprocess.PIPE}
        self.child = subprocess.Popen(command, env={**os.environ, **(environment or {})}, **pipes)
        self.lines, self.news, self.over = [], threading.Condition(), False
        self.reading = threading.Thread(target=self._read, args=[getattr(self.child, stream)], daemon=True)
        self.reading.start()

    def _read(self, stream):
        with stream:
            for line in stream:
                with self.news:
                    self.lines.append((time.monotonic(), line.decode(errors="replace")))
                    self.news.notify_all()
        with self.news:
            self.over = True
            self.news.notify_all()

    def seen(self, pattern, since=0):
        """The first match in a line from `since` on, and when it came."""
        deadline = time.monotonic() + PATIENCE
        with self.news:
            looked = since
            while True:
                for at, line in self.lines[looked:]:
                    if match := re.search(pattern, line):
                        return match, at
                looked = len(self.lines)
                if self.over or not self.news.wait(deadline - time.monotonic()):
                    said = "".join(line for _, line in self.lines[-40:])
                    raise AssertionError(f"`{pattern}` was never said:\n{said}")

    def ended(self):
        """Waits for its end, and returns its exit code."""
        code = self.child.wait(PATIENCE)
        self.reading.join()
        return code

    def end(self):
        self.child.terminate()
        return self.ended()

    def kill(self):
        self.child.kill()
        self.ended()


class Gate(Process):
    """A running gate. Beside its configuration there are `files`, texts by their names."""

    def __init__(self, configured, *, files=None, environment=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="grantgate-traffic-"))
        self.file = self.folder / "gateway.yaml"
        self.file.write_text(json.dumps(configured, indent=1))
        for name, text in (files or {}).items():
            (self.folder / name).write_text(text)
        super().__init__([BINARY, "run", "--config", self.folder],
                         environment={"TRAFFIC_SECRET": SECRET, **(environment or {})})
        match, _ = self.seen(r'traffic=127\.0\.0\.1:(\d+)')
        self.port = int(match[1])
        self.health = self.seen(r'health="?([\d.]+:\d+)')[0][1]
        self.configured = configured

    def edit(self, configured):
        """Replaces the configuration. Returns when the gate said that it applies."""
        since = len(self.lines)
        beside = self.file.with_suffix(".new")
        beside.write_text(json.dumps(configured, indent=1))
        beside.rename(self.file)
        self.configured = configured
        return self.seen("configuration applied", since)[1]

    def without_grants_of(self, client):
        """The running configuration, less what `client` was granted."""
        left = [grant for grant in self.configured["client_grants"] if grant["client_id"] != client]
        return {**self.configured, "client_grants": left}

    def metrics(self):
        with urllib.request.urlopen(f"http://{self.health}/metrics", timeout=PATIENCE) as answer:
            return answer.read().decode()

    def memory(self, kind):
        """VmRSS, VmHWM or RssAnon, in bytes."""
        status = pathlib.Path(f"/proc/{self.child.pid}/status").read_text()
        return int(re.search(rf"{kind}:\s+(\d+) kB", status)[1]) * 1024

    @contextlib.contextmanager
    def growth(self):
        """Measures by how many bytes its memory grows at most while the block runs."""
        pathlib.Path(f"/proc/{self.child.pid}/clear_refs").write_text("5")  # the peak begins anew
        grown = Growth()
        before = self.memory("VmRSS")
        yield grown
        grown.bytes = self.memory("VmHWM") - before

    def ended(self):
        code = super().ended()
        shutil.rmtree(self.folder)
        return code


class Growth:
    """By how many bytes the memory of a gate grew, once that is known."""

    bytes = None


class Certificates:
    """An authority, and a certificate for this machine, in a folder of their own."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="grantgate-traffic-"))
        self.ca, self.cert, self.key = (self.folder / name for name in ("ca.crt", "server.crt", "server.key"))
        new = ["openssl", "req", "-x509", "-days", "2", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        self._openssl(*new, "-subj", "/CN=authority", "-keyout", self.folder / "ca.key", "-out", self.ca)
        self._openssl(*new, "-subj", "/CN=server", "-keyout", self.key, "-out", self.cert,
                      "-CA", self.ca, "-CAkey", self.folder / "ca.key",
                      "-addext", "subjectAltName=DNS:localhost,DNS:*.api.example,IP:127.0.0.1",
                      "-addext", "basicConstraints=critical,CA:FALSE")

    @staticmethod
    def _openssl(*parts):
        subprocess.run(parts, check=True, capture_output=True)

    @property
    def tls(self):
        return {"cert": str(self.cert), "key": str(self.key)}

    def trust_between_threads(self):
        """Trust for a client that reads in one thread and writes in another, as `websockets` does.

        With TLS 1.3, a session ticket that is read while a request is written loses the request within OpenSSL, which
        lets one thread at a time use a connection and which Python guards from 3.13 on. TLS 1.2 has no such tickets.
        """
        context = ssl.create_default_context(cafile=self.ca)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        return context

    def remove(self):
        shutil.rmtree(self.folder)


def need_descriptors(count):
    """Raises the limit of open files as far as this machine allows, for this process and its children."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard) if hard != resource.RLIM_INFINITY else count, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def until(true, what):
    """Waits until something that is asked for again and again has come to be, and returns it."""
    deadline = time.monotonic() + PATIENCE
    while not (answer := true()):
        if time.monotonic() > deadline:
            raise AssertionError(f"never: {what}")
        time.sleep(0.01)
    return answer
