"""Where traffic runs: two gates, one of them with TLS, before one upstream in every protocol; and curl."""

import ssl
import subprocess
import unittest

import gate
import http2
import peer

# How clients speak: whether with TLS, and how curl is told to.
CLIENTS = {
    "HTTP/1.1": (False, "--http1.1"),
    "HTTP/2 by prior knowledge": (False, "--http2-prior-knowledge"),
    "HTTP/1.1 over TLS": (True, "--http1.1"),
    "HTTP/2 by ALPN": (True, "--http2"),
}
# What is spoken to the upstream, by the prefix of its paths.
UPSTREAMS = {"http1": "HTTP/1.1", "http2": "HTTP/2 without TLS", "tls": "HTTP/2 by ALPN"}
PAIRS = [(client, upstream) for client in CLIENTS for upstream in UPSTREAMS]


class Gates(unittest.TestCase):
    """A gate without TLS and one with, before the APIs that a suite names. Each has to end well."""

    CLIENTS = ("app", "other")

    @classmethod
    def setUpClass(cls):
        cls.certificates = gate.Certificates()
        cls.addClassCleanup(cls.certificates.remove)
        apis = cls.apis()
        cls.gates = {tls: cls.start(gate.configuration(apis, cls.CLIENTS, server=server, **cls.sections()))
                     for tls, server in [(False, {"http2": "prior_knowledge"}), (True, {"tls": cls.certificates.tls})]}

    @classmethod
    def apis(cls):
        """Starts the upstreams, and tells what stands before them."""
        raise NotImplementedError

    @classmethod
    def sections(cls):
        return {}

    @classmethod
    def start(cls, configured):
        started = gate.Gate(configured)
        cls.addClassCleanup(cls.ended_well, started)
        return started

    @staticmethod
    def ended_well(started):
        code = started.end()
        said = "".join(line for _, line in started.lines)
        assert code == 0 and "panicked" not in said, f"the gate ended with {code}:\n{said[-4000:]}"

    def url(self, tls, path):
        return f"{'https' if tls else 'http'}://127.0.0.1:{self.gates[tls].port}{path}"

    def http2(self, tls):
        """A connection that speaks HTTP/2, by hand."""
        trust = ssl.create_default_context(cafile=self.certificates.ca) if tls else None
        if tls:
            trust.set_alpn_protocols(["h2"])
        connection = http2.Http2(self.gates[tls].port, trust)
        self.addCleanup(connection.close)
        return connection

    @staticmethod
    def close(started):
        started.kill()
        for pipe in filter(None, (started.stdin, started.stdout, started.stderr)):
            try:
                pipe.close()
            except BrokenPipeError:
                pass
        started.wait()

    def without_grants_of_app(self):
        """Takes the grants of `app` away, and returns when that applied; they come back after the test."""
        for running in self.gates.values():
            self.addCleanup(running.edit, running.configured)
        return max(running.edit(running.without_grants_of("app")) for running in self.gates.values())


class Ground(Gates):
    """Those two before the one upstream, which curl asks."""

    @classmethod
    def apis(cls):
        cls.peer = peer.Peer(cls.certificates)
        cls.addClassCleanup(cls.peer.end)
        return [cls.api(name) for name in UPSTREAMS]

    @classmethod
    def api(cls, name):
        scheme, more = "http", {"upstream_protocol": name}
        if name == "tls":
            scheme, more = "https", {"upstream_tls": {"ca": str(cls.certificates.ca)}}
        return gate.api(f"{scheme}://127.0.0.1:{cls.peer.ports[name]}",
                        [{"on": f"GET,PUT,POST /{name}/*", "scopes": ["use"]}],
                        name=f"/{name}", path_prefix=f"/{name}", **more)

    def curl(self, client, path, *more, token=None, **pipes):
        """A curl that speaks as `client`, for `path`, with a token."""
        tls, protocol = CLIENTS[client]
        command = ["curl", "--silent", "--show-error", "--no-buffer", "--fail-with-body", protocol,
                   "--cacert", self.certificates.ca, "--header", f"Authorization: Bearer {token or gate.token()}",
                   *more, self.url(tls, path)]
        started = subprocess.Popen(command, **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **pipes})
        self.addCleanup(self.close, started)
        return started

    def ended(self, started, code=0):
        """Holds it to its exit code, and returns what else it said."""
        said = started.stderr.read().decode()
        self.assertEqual(started.wait(gate.PATIENCE), code, said)
        return said
