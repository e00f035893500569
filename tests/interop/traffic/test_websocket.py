"""WebSockets between two implementations, crosswise, through the gate; and how it ends them."""

import base64
import http.client
import itertools
import json
import os
import pathlib
import ssl
import threading
import time

import h2.errors
import websockets.exceptions
import websockets.frames
import websockets.protocol
import websockets.sync.client
import websockets.sync.server

import gate
from ground import Gates

MIB = 2**20
ORIGIN = "https://pages.example"
WS = str(pathlib.Path(__file__).with_name("ws.mjs"))
# Who answers, by the path that leads there: `websockets`, the same over TLS, and `ws`; each through either gate.
PATHS = ("/python", "/secure", "/node")
PAIRS = list(itertools.product((False, True), PATHS))


class Server:
    """The `websockets` package upstream. It echoes each message in the frames in which it came."""

    def __init__(self, tls=None):
        self.heads, self.ends = [], []
        self.server = websockets.sync.server.serve(
            self.echo, "127.0.0.1", 0, ssl=tls, max_size=None, process_request=self.note,
            select_subprotocol=lambda _, offered: "chat" if "chat" in offered else None)
        self.port = self.server.socket.getsockname()[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def note(self, _, request):
        self.heads.append(request.headers)

    def echo(self, connection):
        try:
            while True:
                frames = list(connection.recv_streaming(decode=False))
                connection.send(frames)
        except websockets.exceptions.ConnectionClosed:
            self.ends.append((connection.close_code, connection.close_reason))


class WebSockets(Gates):
    @classmethod
    def apis(cls):
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(cls.certificates.cert, cls.certificates.key)
        cls.trust = cls.certificates.trust_between_threads()
        cls.python, cls.secure = Server(), Server(tls)
        cls.node = gate.Process(["node", WS, "server"], stream="stdout")
        for server in (cls.python, cls.secure):
            cls.addClassCleanup(server.server.shutdown)
        cls.addClassCleanup(cls.node.end)
        port = int(cls.node.seen(r'"port":(\d+)')[0][1])
        upstreams = {"python": f"http://127.0.0.1:{cls.python.port}", "node": f"http://127.0.0.1:{port}",
                     "secure": f"https://127.0.0.1:{cls.secure.port}"}
        trust = {"upstream_tls": {"ca": str(cls.certificates.ca)}}
        return [gate.api(upstream, [{"on": f"GET /{name}", "scopes": ["use"], "upgrade": ["websocket"]}],
                         name=f"/{name}", path_prefix=f"/{name}", websocket_tokens=True, cors={"origins": [ORIGIN]},
                         **(trust if name == "secure" else {}))
                for name, upstream in upstreams.items()]

    def url(self, tls, path):
        return super().url(tls, path).replace("http", "ws", 1)

    def connect(self, tls, path, token=None, **more):
        """The `websockets` package as the client."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.enterContext(websockets.sync.client.connect(
            self.url(tls, path), ssl=self.trust if tls else None, max_size=None, proxy=None,
            additional_headers=headers | more.pop("additional_headers", {}), **more))

    def ws(self, mode, tls, path, token, **options):
        """The `ws` package as the client."""
        options |= {"url": self.url(tls, path), "ca": str(self.certificates.ca),
                    "headers": {"authorization": f"Bearer {token}"} if token else {}}
        started = gate.Process(["node", WS, mode, json.dumps(options)], stream="stdout")
        self.addCleanup(started.kill)
        return started

    def test_websockets_hears_its_echo_in_the_frames_in_which_it_spoke(self):
        for tls, path in PAIRS:
            with self.subTest(tls=tls, path=path):
                for compression in ("deflate", None):
                    connected = self.connect(tls, path, gate.token(), compression=compression)
                    connected.send("Grüße")
                    self.assertEqual(connected.recv(decode=True), "Grüße")
                    whole = os.urandom(MIB)
                    connected.send(whole)
                    self.assertEqual(connected.recv(), whole)
                    frames = [os.urandom(size) for size in (1, 125, 126, 65535, 65536, 300_000, MIB)]
                    connected.send(iter(frames))
                    echoed = list(connected.recv_streaming())
                    self.assertEqual(b"".join(echoed), b"".join(frames))
                    if path != "/node":
                        # Each of the two ends its messages with an empty frame.
                        self.assertEqual(list(map(len, echoed)), [*map(len, frames), 0, 0])
                    self.assertTrue(connected.ping("are you there").wait(gate.PATIENCE))
                    connected.close(1000, "done")
                    self.assertEqual((connected.close_code, connected.close_reason), (1000, "done"))

    def test_ws_hears_its_echo(self):
        for tls, path in PAIRS:
            with self.subTest(tls=tls, path=path):
                messages = [0, 1, 125, 126, 65535, 65536, MIB, 3 * MIB]
                client = self.ws("echo", tls, path, gate.token(), messages=messages, parts=7)
                answer = json.loads(client.seen("equal")[0].string)
                self.assertEqual((answer["equal"], answer["code"], answer["reason"]), (len(messages), 1000, "done"))

    def test_many_speak_at_once(self):
        def speak(tls, path):
            connected = self.connect(tls, path, gate.token())
            for _ in range(20):
                data = os.urandom(100_000)
                connected.send(data)
                equal.append(connected.recv() == data)

        equal = []
        speaking = [threading.Thread(target=speak, args=pair) for pair in PAIRS for _ in range(5)]
        for one in speaking:
            one.start()
        for one in speaking:
            one.join()
        self.assertEqual((len(equal), all(equal)), (600, True))

    def test_refusals_are_answers_and_reach_nobody(self):
        for tls, path in PAIRS:
            with self.subTest(tls=tls, path=path):
                before = len(self.python.heads) + len(self.secure.heads)
                for token, status, code in ((None, 401, "token-missing"), (gate.token("stranger"), 403, "grant-missing"),
                                            (gate.token(lifetime=-5), 401, "token-expired")):
                    headers = {"Authorization": f"Bearer {token}"} if token else {}
                    self.assertEqual(self.refused(tls, path, headers), (status, code))
                client = self.ws("wait", tls, path, None)
                client.seen("Unexpected server response: 401")
                self.assertEqual(len(self.python.heads) + len(self.secure.heads), before)

    def refused(self, tls, path, headers):
        """What is answered to a handshake that fails, as it is written."""
        port = self.gates[tls].port
        asked = http.client.HTTPSConnection("127.0.0.1", port, timeout=gate.PATIENCE, context=self.trust) if tls \
            else http.client.HTTPConnection("127.0.0.1", port, timeout=gate.PATIENCE)
        self.addCleanup(asked.close)
        asked.request("GET", path, headers={"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                                            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(), **headers})
        answer = asked.getresponse()
        return answer.status, json.load(answer).get("code")

    def test_identity_is_said_by_the_gate_alone(self):
        spoofed = {"Grantgate-Client-Id": "root", "grantgate_subject": "root"}
        self.connect(False, "/python", gate.token(), additional_headers=spoofed)
        head = self.python.heads[-1]
        self.assertEqual((head.get_all("Grantgate-Client-Id"), head.get_all("Grantgate-Subject")), (["app"], ["app"]))
        self.assertNotIn("grantgate_subject", head)

    def test_they_end_within_a_second_of_losing_their_grant_with_a_reason(self):
        cut = self.waiting(lambda: gate.token("app"))
        kept = self.waiting(lambda: gate.token("other"))
        upstream = [len(server.ends) for server in (self.python, self.secure)]
        applied = self.without_grants_of_app()
        last = max(at for at, *_ in self.closed(cut, 1008, "grant-missing"))
        print(f"a grant is removed: the last of {len(cut)} WebSockets ends {last - applied:.3f} s later")
        self.assertLess(last - applied, 1)
        # The other side is told as well: `websockets` twice and `ws` once for each gate.
        for server, before in zip((self.python, self.secure), upstream):
            gate.until(lambda: len(server.ends) - before == 4, "an end upstream")
            self.assertEqual(set(server.ends[before:]), {(1008, "grant-missing")})
        for one in kept:
            self.assertTrue(one.alive())

    def test_they_end_within_a_second_of_their_tokens_end_with_a_reason(self):
        expires = time.monotonic() + 5
        token = gate.token(lifetime=5)
        cut, kept = self.waiting(lambda: token), self.waiting(gate.token)
        ends = [at for at, *_ in self.closed(cut, 1008, "token-expired")]
        print(f"a token expires: {len(cut)} WebSockets end {min(ends) - expires:.3f} to {max(ends) - expires:.3f} s later")
        self.assertGreater(min(ends) - expires, -0.1)
        self.assertLess(max(ends) - expires, 1)
        for one in kept:
            self.assertTrue(one.alive())

    def waiting(self, token):
        """Both clients at each server through each gate, each having spoken."""
        waiting = []
        for tls, path in PAIRS:
            waiting.append(Waiting(self.connect(tls, path, token())))
            waiting.append(self.ws("wait", tls, path, token()))
            waiting[-1].seen("open")
            waiting[-1].alive = lambda process=waiting[-1]: len(process.lines) == 1 and process.child.poll() is None
        return waiting

    def closed(self, waiting, code, reason):
        """When each was closed; all of them as it is said."""
        ends = []
        for one in waiting:
            if isinstance(one, Waiting):
                ends.append(one.closed())
            else:
                match, at = one.seen('"code"')
                end = json.loads(match.string)
                ends.append((at, end["code"], end["reason"]))
        self.assertEqual({end[1:] for end in ends}, {(code, reason)})
        return ends

    def test_a_token_as_a_subprotocol_counts_from_listed_pages_and_goes_no_further(self):
        for tls in (False, True):
            bearer = f"grantgate.bearer.{gate.token()}"
            connected = self.connect(tls, "/python", origin=ORIGIN, subprotocols=["chat", bearer])
            connected.send("hello")
            self.assertEqual(connected.recv(decode=True), "hello")
            self.assertEqual(connected.subprotocol, "chat")
            head = self.python.heads[-1]
            self.assertEqual(head.get_all("Sec-WebSocket-Protocol"), ["chat"])
            self.assertNotIn("grantgate.bearer", str(head))
            before = len(self.python.heads)
            offered = {"Sec-WebSocket-Protocol": f"chat, {bearer}"}
            for page in ({}, {"Origin": "https://elsewhere.example"}):
                self.assertEqual(self.refused(tls, "/python", {**offered, **page}), (401, "token-missing"))
            both = {**offered, "Origin": ORIGIN, "Authorization": f"Bearer {gate.token()}"}
            self.assertEqual(self.refused(tls, "/python", both), (400, "credential-ambiguous"))
            self.assertEqual(len(self.python.heads), before)

    def test_a_page_opens_one_with_ws(self):
        client = self.ws("echo", True, "/python", None, origin=ORIGIN, messages=[1000],
                         protocols=["chat", f"grantgate.bearer.{gate.token()}"])
        answer = json.loads(client.seen("equal")[0].string)
        self.assertEqual((answer["equal"], answer["protocol"]), (1, "chat"))

    def test_extended_connect_carries_them_over_http2(self):
        for tls, path in PAIRS:
            with self.subTest(tls=tls, path=path):
                tunnel = Tunnel(self.http2(tls), path, gate.token())
                self.assertEqual(tunnel.stream.status, 200)
                sizes = [1, 126, 65536, MIB]
                for size in sizes:
                    data = os.urandom(size)
                    tunnel.send(data)
                    self.assertEqual(tunnel.message(), data)
                tunnel.frames.send_close(1000, "done")
                tunnel.flush()
                tunnel.http2.until(lambda: tunnel.stream.over, "the tunnel's end")
                self.assertEqual(tunnel.frames.close_rcvd.code, 1000)
                self.assertIn(tunnel.stream.reset, (None, h2.errors.ErrorCodes.NO_ERROR))

    def test_extended_connect_is_refused_as_a_request_is(self):
        for tls, path in PAIRS:
            with self.subTest(tls=tls, path=path):
                connection = self.http2(tls)
                for token, status, code in ((None, 401, "token-missing"), (gate.token("stranger"), 403, "grant-missing")):
                    tunnel = Tunnel(connection, path, token)
                    connection.answer(tunnel.number)
                    self.assertEqual((tunnel.stream.status, json.loads(tunnel.stream.data)["code"]), (status, code))
                # The connection serves others all the same.
                self.assertEqual(Tunnel(connection, path, gate.token()).stream.status, 200)

    def test_extended_connect_ends_with_its_grant_with_a_reason(self):
        tunnels = [Tunnel(self.http2(tls), path, gate.token("app")) for tls, path in PAIRS]
        applied = self.without_grants_of_app()
        for tunnel in tunnels:
            tunnel.http2.until(lambda: tunnel.frames.close_rcvd, "a close frame")
            close = tunnel.frames.close_rcvd
            self.assertEqual((close.code, close.reason), (1008, "grant-missing"))
        self.assertLess(time.monotonic() - applied, 1)


class Waiting:
    """A client that has spoken, and waits for its end."""

    def __init__(self, connected):
        self.connected, self.end = connected, None
        connected.send("here")
        connected.recv()
        self.thread = threading.Thread(target=self.wait, daemon=True)
        self.thread.start()

    def wait(self):
        try:
            self.connected.recv()
        except websockets.exceptions.ConnectionClosed as closed:
            received = closed.rcvd
            self.end = time.monotonic(), received and received.code, received and received.reason

    def closed(self):
        self.thread.join(gate.PATIENCE)
        assert self.end, "it was never closed"
        return self.end

    def alive(self):
        return self.connected.ping().wait(gate.PATIENCE)


class Tunnel:
    """A WebSocket within a stream of HTTP/2 (RFC 8441)."""

    def __init__(self, http2, path, token):
        assert http2.connects, "extended CONNECT is not offered"
        self.http2 = http2
        headers = [("sec-websocket-version", "13")]
        if token:
            headers.append(("authorization", f"Bearer {token}"))
        self.number = http2.open("CONNECT", path, headers, pseudo=[(":protocol", "websocket")], end=False)
        self.stream, self.taken = http2.streams[self.number], 0
        http2.until(lambda: self.stream.headers or self.stream.over, "an answer")
        self.frames = websockets.protocol.Protocol(websockets.protocol.Side.CLIENT, max_size=None)
        self.messages, self.message_so_far = [], bytearray()
        take = http2.take

        def taking(event):
            take(event)
            if self.stream.status == 200:
                self.read()

        http2.take = taking

    def read(self):
        fresh = bytes(self.stream.data[self.taken:])
        self.taken = len(self.stream.data)
        if not fresh:
            return
        self.frames.receive_data(fresh)
        for frame in self.frames.events_received():
            if frame.opcode in (websockets.frames.Opcode.BINARY, websockets.frames.Opcode.CONT):
                self.message_so_far += frame.data
                if frame.fin:
                    self.messages.append(bytes(self.message_so_far))
                    self.message_so_far.clear()

    def send(self, data):
        self.frames.send_binary(data)
        self.flush()

    def flush(self):
        for data in self.frames.data_to_send():
            if data:
                self.http2.send(self.number, data)

    def message(self):
        self.http2.until(lambda: self.messages, "an echo")
        return self.messages.pop(0)
