"""An end under load: every request that the gate took is answered, and every other can be asked elsewhere.

Each request has a name, which the upstream counts. When the gate is told to end, one that was not taken (refused
connections, connections that end before a first byte of the answer, streams that GOAWAY or a reset leaves out) is
asked at a second gate. In the end each name was answered, and had come to the upstream exactly once.
"""

import contextlib
import http.client
import itertools
import os
import random
import signal
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import h2.errors
import h2.exceptions
import websockets.exceptions
import websockets.sync.client
import websockets.sync.server

import gate
import peer
from ground import Gates
from http2 import Http2

ROUNDS = 5 if gate.FULL else 1
LOAD = 1.0  # seconds, before the end and, at the gate that ends, for as long as it takes requests
DEADLINE = 3  # what the gate gives to what is in flight, in seconds
CLOSED = (ConnectionError, ssl.SSLEOFError, ssl.SSLError)


class Shutdown(Gates):
    @classmethod
    def apis(cls):
        cls.peer = peer.Peer(cls.certificates)
        cls.addClassCleanup(cls.peer.end)
        cls.calls = Calls()
        cls.grpc = grpc.server(ThreadPoolExecutor(32), handlers=[cls.calls])
        port = cls.grpc.add_insecure_port("127.0.0.1:0")
        cls.grpc.start()
        cls.addClassCleanup(lambda: cls.grpc.stop(0).wait())
        cls.echo = websockets.sync.server.serve(echo, "127.0.0.1", 0)
        threading.Thread(target=cls.echo.serve_forever, daemon=True).start()
        cls.addClassCleanup(cls.echo.shutdown)
        local = "http://127.0.0.1:{}".format
        return [
            gate.api(local(cls.peer.ports["http1"]), [{"on": "GET,POST /one/slow", "scopes": ["use"]}],
                     name="/one", path_prefix="/one"),
            gate.api(local(cls.peer.ports["http2"]), [{"on": "GET,POST /two/slow", "scopes": ["use"]}],
                     name="/two", path_prefix="/two", upstream_protocol="http2"),
            gate.api(local(port), [{"on": "POST /traffic.v1.Slow/*", "scopes": ["use"]}],
                     name="/grpc", path_prefix="/traffic.v1.Slow", upstream_protocol="http2"),
            gate.api(local(cls.echo.socket.getsockname()[1]), [{"on": "GET /ws", "scopes": ["use"], "upgrade": ["websocket"]}],
                     name="/ws", path_prefix="/ws"),
        ]

    def test_no_request_that_was_taken_is_lost(self):
        for tls, round in itertools.product((False, True), range(ROUNDS)):
            with self.subTest(tls=tls, round=round):
                configured = self.gates[tls].configured
                server = {**configured["server"], "drain_delay": "500ms", "drain_deadline": f"{DEADLINE}s"}
                self.end_under_load(Load(gate.Gate({**configured, "server": server}), self.gates[tls], tls, self.certificates))

    def end_under_load(self, load):
        kinds = [load.http1] * 6 + [load.http2] * 3 + [load.grpc] * 4
        working = [threading.Thread(target=load.safely, args=[kind]) for kind in kinds]
        tunnels = [Socket(load) for _ in range(6)]
        for thread in working:
            thread.start()
        time.sleep(LOAD)
        begun = load.told = time.monotonic()
        load.ending.child.send_signal(signal.SIGTERM)
        for thread in working:
            thread.join(gate.PATIENCE)
            self.assertFalse(thread.is_alive(), "a client never learned of the end")
        idle = time.monotonic() - begun
        self.assertEqual(load.ending.ended(), 0)
        ended = time.monotonic() - begun

        self.assertFalse(load.lost, load.lost[:8])
        seen = self.peer.state()["seen"] | self.calls.seen
        wrong = {name: seen.get(name, 0) for name in load.answered if seen.get(name, 0) != 1}
        self.assertEqual(wrong, {}, "names that did not come to the upstream exactly once")
        unanswered = load.named - load.answered
        self.assertEqual(unanswered, set())
        for tunnel in tunnels:
            tunnel.thread.join(gate.PATIENCE)
            self.assertEqual(tunnel.close[0], 1001, tunnel.close)
            self.assertGreater(tunnel.at - begun, DEADLINE - 0.5, "it was not let be until the deadline")
            self.assertGreater(tunnel.echoes_at(begun + 0.6), 0, "it no longer echoed while the gate drained")
        elsewhere = ", ".join(f"{count} {kind}" for kind, count in sorted(load.elsewhere.items()))
        print(f"{'TLS' if load.tls else 'plain'}: {len(load.answered)} requests answered, of which were asked again "
              f"elsewhere: {elsewhere or 'none'}; clients done after {idle:.1f} s, the gate after {ended:.1f} s; "
              f"WebSockets closed with {tunnels[0].close}")
        for kind in ("http1", "http2", "grpc"):
            self.assertGreater(load.after[kind], 0, f"nothing of {kind} was in flight at the end")


class Calls(grpc.GenericRpcHandler):
    """The upstream of gRPC: a call that takes its time, and a stream that does."""

    def __init__(self):
        self.seen, self.lock = {}, threading.Lock()

    def service(self, details):
        if details.method.endswith("/Stream"):
            return grpc.unary_stream_rpc_method_handler(self.stream)
        return grpc.unary_unary_rpc_method_handler(self.unary)

    def note(self, request):
        name, milliseconds = request.decode().split()
        with self.lock:
            self.seen[name] = self.seen.get(name, 0) + 1
        return name.encode(), int(milliseconds) / 1000

    def unary(self, request, _):
        name, seconds = self.note(request)
        time.sleep(seconds)
        return name

    def stream(self, request, _):
        name, seconds = self.note(request)
        for at in range(len(name)):
            yield name[at : at + 1]
            time.sleep(seconds / len(name))


def echo(connection):
    with contextlib.suppress(websockets.exceptions.ConnectionClosed):
        for message in connection:
            connection.send(message)


class Load:
    """Clients of a gate that will end; `other` is asked what it did not take."""

    def __init__(self, ending, other, tls, certificates):
        self.ending, self.other, self.tls = ending, other, tls
        self.told = None  # when the gate was told to end
        self.named, self.answered, self.lost = set(), set(), []
        self.elsewhere, self.after = {}, dict.fromkeys(("http1", "http2", "grpc"), 0)
        self.certificates = certificates
        self.headers = {"authorization": f"Bearer {gate.token()}"}

    def safely(self, work):
        try:
            work()
        except BaseException as error:
            self.lost.append(f"{work.__name__}: {error!r}")
            raise

    def name(self):
        """A name for a request, and how long it takes."""
        name = os.urandom(8).hex()
        self.named.add(name)
        return name, random.choice((0, 10, 50, 200, 600))

    def good(self, kind, name, status, body, *, here=True):
        if (status, bytes(body).decode()) == (200, name):
            self.answered.add(name)
            self.after[kind] += here and self.told is not None
        else:
            self.lost.append(f"{kind} {name}: {status} {bytes(body)[:300]}")

    def again(self, why):
        self.elsewhere[why] = self.elsewhere.get(why, 0) + 1

    def context(self, *protocols):
        if not self.tls:
            return None
        context = ssl.create_default_context(cafile=self.certificates.ca)
        context.set_alpn_protocols(list(protocols))
        return context

    def http1(self):
        """One request after another on a connection that is kept."""

        def connection(port):
            if self.tls:
                return http.client.HTTPSConnection("127.0.0.1", port, timeout=gate.PATIENCE, context=self.context("http/1.1"))
            return http.client.HTTPConnection("127.0.0.1", port, timeout=gate.PATIENCE)

        def ask(asked, name, milliseconds):
            path = f"/{random.choice(('one', 'two'))}/slow?id={name}&ms={milliseconds}"
            body = os.urandom(random.choice((0, 10, 100_000)))
            asked.request("POST" if body else "GET", path, body or None, self.headers)
            answer = asked.getresponse()
            return answer.status, answer.read()

        here, refused = connection(self.ending.port), False
        while not refused:
            name, milliseconds = self.name()
            try:
                self.good("http1", name, *ask(here, name, milliseconds))
                continue
            except ConnectionRefusedError:
                self.again("refused connections")
                refused = True
            except CLOSED:  # before the first byte of an answer; an answer that is cut is IncompleteRead
                self.again("HTTP/1.1 connections that had ended")
                here.close()
            elsewhere = connection(self.other.port)
            self.good("http1", name, *ask(elsewhere, name, milliseconds), here=False)
            elsewhere.close()
        here.close()

    def http2(self):
        """Sixteen requests at a time on a connection."""
        while True:
            try:
                here = Http2(self.ending.port, self.context("h2"))
            except ConnectionRefusedError:
                return self.again("refused connections")
            except (AssertionError, *CLOSED):
                # It was accepted by the system, and no request was sent yet.
                self.again("HTTP/2 connections that ended before a request")
                continue
            self.work(here)
            here.close()

    def work(self, here):
        open = {}
        while open or here.goaway is None and not here.closed:
            try:
                while here.goaway is None and not here.closed and len(open) < 16:
                    name, milliseconds = self.name()
                    upstream = random.choice(("one", "two"))
                    open[self.begin(here, upstream, name, milliseconds)] = name, milliseconds
                here.pump()
            except (h2.exceptions.ProtocolError, *CLOSED):
                here.closed = True
            for number, (name, milliseconds) in list(open.items()):
                stream = here.streams[number]
                if stream.ended:
                    self.good("http2", name, stream.status, stream.data)
                elif here.goaway is not None and number > here.goaway:
                    self.elsewhere_http2("HTTP/2 streams behind GOAWAY", name, milliseconds)
                elif stream.reset == h2.errors.ErrorCodes.REFUSED_STREAM:
                    self.elsewhere_http2("HTTP/2 streams that were refused", name, milliseconds)
                elif stream.reset is not None or here.closed:
                    self.lost.append(f"http2 {name}: stream {number}, reset {stream.reset}, GOAWAY {here.goaway}")
                else:
                    continue
                del open[number]

    def begin(self, connection, upstream, name, milliseconds):
        return connection.open("GET", f"/{upstream}/slow?id={name}&ms={milliseconds}", self.headers.items())

    def elsewhere_http2(self, why, name, milliseconds):
        self.again(why)
        connection = Http2(self.other.port, self.context("h2"))
        stream = connection.answer(self.begin(connection, "one", name, milliseconds))
        self.good("http2", name, stream.status, stream.data, here=False)
        connection.close()

    def grpc(self):
        """One call after another, of two kinds, on a channel."""

        def channel(port):
            options = [("grpc.use_local_subchannel_pool", 1)]
            if self.tls:
                trust = grpc.ssl_channel_credentials(self.certificates.ca.read_bytes())
                return grpc.secure_channel(f"127.0.0.1:{port}", trust, options)
            return grpc.insecure_channel(f"127.0.0.1:{port}", options)

        def ask(asked, name, milliseconds):
            request = f"{name} {milliseconds}".encode()
            metadata = list(self.headers.items())
            if streamed:
                return b"".join(asked.unary_stream("/traffic.v1.Slow/Stream")(request, metadata=metadata))
            return asked.unary_unary("/traffic.v1.Slow/Unary")(request, metadata=metadata)

        here, there = channel(self.ending.port), channel(self.other.port)
        gone = False
        while not gone:
            name, milliseconds = self.name()
            streamed = random.random() < 0.5
            try:
                self.good("grpc", name, 200, ask(here, name, milliseconds))
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    self.lost.append(f"grpc {name}: {error.code()} {error.details()}")
                    continue
                self.again("gRPC calls that found nobody")
                gone = "refused" in error.details()
                self.good("grpc", name, 200, ask(there, name, milliseconds), here=False)
        here.close()
        there.close()


class Socket:
    """A WebSocket that echoes until it is closed."""

    def __init__(self, load):
        self.load, self.echoed, self.close, self.at = load, [], None, None
        self.thread = threading.Thread(target=load.safely, args=[self.speak])
        self.thread.start()

    def speak(self):
        """Until it is closed; notes the last word, and when it came."""
        scheme, trust = ("wss", self.load.certificates.trust_between_threads()) if self.load.tls else ("ws", None)
        with websockets.sync.client.connect(
            f"{scheme}://127.0.0.1:{self.load.ending.port}/ws", ssl=trust,
            additional_headers=self.load.headers, proxy=None,
        ) as connected:
            try:
                for number in itertools.count():
                    connected.send(str(number))
                    assert connected.recv() == str(number), "another echo"
                    self.echoed.append(time.monotonic())
                    time.sleep(0.02)
            except websockets.exceptions.ConnectionClosed as closed:
                self.at = time.monotonic()
                self.close = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (None, str(closed))

    def echoes_at(self, since):
        return sum(at > since for at in self.echoed)
