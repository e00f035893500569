"""gRPC by grpcio at both ends: calls of every kind, what goes with them, and how they end before their end."""

import hashlib
import itertools
import os
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc

import gate
from ground import Gates

MESSAGE = 256 * 1024
MESSAGES = 1024 if gate.FULL else 128
HOSTS = {"plain": "plain.api.example", "secure": "secure.api.example"}  # without TLS and with, to the upstream
PAIRS = list(itertools.product((False, True), HOSTS.values()))


class Echo(grpc.GenericRpcHandler):
    """The service of these tests, in bytes: nothing is generated."""

    def __init__(self):
        self.calls = {}

    def service(self, details):
        kinds = {"Unary": grpc.unary_unary_rpc_method_handler, "Fail": grpc.unary_unary_rpc_method_handler,
                 "Collect": grpc.stream_unary_rpc_method_handler, "Pour": grpc.unary_stream_rpc_method_handler,
                 "Hang": grpc.unary_stream_rpc_method_handler, "Both": grpc.stream_stream_rpc_method_handler,
                 "Unlisted": grpc.unary_unary_rpc_method_handler}
        package, _, method = details.method.rpartition("/")
        return kinds[method](getattr(self, method.lower())) if package == "/traffic.v1.Echo" else None

    def unary(self, request, context):
        sent = dict(context.invocation_metadata())
        context.send_initial_metadata((("heard", sent.get("says", "")), ("heard-bin", sent.get("says-bin", b""))))
        context.set_trailing_metadata((("client", sent["grantgate-client-id"]), ("digest-bin", hashlib.sha256(request).digest())))
        return request

    unlisted = unary

    def fail(self, request, context):
        context.set_trailing_metadata((("reason-bin", bytes(range(256))),))
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "100 % nicht möglich: ✗")

    def collect(self, requests, context):
        whole, count = hashlib.sha256(), 0
        for count, message in enumerate(requests, 1):
            whole.update(message)
        return f"{count} {whole.hexdigest()}".encode()

    def pour(self, request, context):
        whole = hashlib.sha256()
        for at in range(int(request)):
            message = block(at)
            whole.update(message)
            yield message
        context.set_trailing_metadata((("sha256", whole.hexdigest()),))

    def both(self, requests, context):
        self.watch(context)
        for message in requests:
            yield message

    def hang(self, request, context):
        call = self.watch(context)
        yield b"here"
        call.ended.wait(gate.PATIENCE)

    def watch(self, context):
        name = dict(context.invocation_metadata()).get("call", "")
        call = self.calls[name] = Call(context.time_remaining())
        context.add_callback(call.ended.set)
        return call


class Call:
    """A call upstream: what was left of its time when it came, and whether it ended."""

    def __init__(self, left):
        self.left, self.ended = left, threading.Event()


def block(at):
    return at.to_bytes(8, "big") * (MESSAGE // 8)


class Grpc(Gates):
    @classmethod
    def apis(cls):
        cls.echo = Echo()
        cls.server = grpc.server(ThreadPoolExecutor(64), handlers=[cls.echo], options=[("grpc.so_reuseport", 0)])
        pair = [(cls.certificates.key.read_bytes(), cls.certificates.cert.read_bytes())]
        ports = {"plain": cls.server.add_insecure_port("127.0.0.1:0"),
                 "secure": cls.server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(pair))}
        cls.server.start()
        cls.addClassCleanup(lambda: cls.server.stop(0).wait())
        operations = [{"on": f"POST /traffic.v1.Echo/{name}", "scopes": ["use"]}
                      for name in ("Unary", "Fail", "Collect", "Pour", "Both", "Hang")]
        operations.append({"on": "POST /traffic.v1.Echo/Admin", "scopes": ["administer"]})
        apis = [gate.api(f"http://127.0.0.1:{ports['plain']}", operations, name="/plain",
                         hosts=[HOSTS["plain"]], upstream_protocol="http2"),
                gate.api(f"https://127.0.0.1:{ports['secure']}", operations, name="/secure",
                         hosts=[HOSTS["secure"]], upstream_tls={"ca": str(cls.certificates.ca)}),
                gate.api("http://127.0.0.1:1", operations, name="/gone", hosts=["gone.api.example"], upstream_protocol="http2")]
        for api in apis:
            api["scopes"].append({"value": "administer"})
        return apis

    def channel(self, tls, host):
        options = [("grpc.default_authority", host), ("grpc.use_local_subchannel_pool", 1)]
        at = f"127.0.0.1:{self.gates[tls].port}"
        if tls:
            trust = grpc.ssl_channel_credentials(self.certificates.ca.read_bytes())
            options.append(("grpc.ssl_target_name_override", host))
            channel = grpc.secure_channel(at, trust, options)
        else:
            channel = grpc.insecure_channel(at, options)
        self.addCleanup(channel.close)
        return channel

    def each(self):
        for tls, host in PAIRS:
            yield self.subTest(tls=tls, host=host), self.channel(tls, host)

    def test_a_call_carries_its_metadata_both_ways(self):
        for subtest, channel in self.each():
            with subtest:
                call = method(channel, "unary_unary", "Unary")
                said = (("says", "hello"), ("says-bin", bytes(range(256))), ("grantgate-client-id", "root"))
                for request in (b"", b"x", os.urandom(3_000_000)):
                    answer, made = call.with_call(request, metadata=bearer(more=said), timeout=gate.PATIENCE)
                    self.assertEqual(answer, request)
                    self.assertEqual(made.code(), grpc.StatusCode.OK)
                    first, last = dict(made.initial_metadata()), dict(made.trailing_metadata())
                    self.assertEqual((first["heard"], first["heard-bin"]), ("hello", bytes(range(256))))
                    self.assertEqual((last["client"], last["digest-bin"]), ("app", hashlib.sha256(request).digest()))

    def test_a_failure_is_the_upstreams_own(self):
        for subtest, channel in self.each():
            with subtest:
                error = self.fails(lambda: method(channel, "unary_unary", "Fail")(b"", metadata=bearer()))
                self.assertEqual((error.code(), error.details()), (grpc.StatusCode.FAILED_PRECONDITION, "100 % nicht möglich: ✗"))
                self.assertEqual(dict(error.trailing_metadata())["reason-bin"], bytes(range(256)))

    def test_a_stream_of_requests_arrives_whole(self):
        whole = hashlib.sha256()
        for at in range(MESSAGES):
            whole.update(block(at))
        for subtest, channel in self.each():
            with subtest:
                answer = method(channel, "stream_unary", "Collect")(map(block, range(MESSAGES)), metadata=bearer())
                self.assertEqual(answer.decode(), f"{MESSAGES} {whole.hexdigest()}")

    def test_a_stream_of_answers_arrives_whole_and_with_its_trailers(self):
        for subtest, channel in self.each():
            with subtest:
                whole = hashlib.sha256()
                stream = method(channel, "unary_stream", "Pour")(str(MESSAGES).encode(), metadata=bearer())
                for message in stream:
                    whole.update(message)
                self.assertEqual((stream.code(), dict(stream.trailing_metadata())["sha256"]), (grpc.StatusCode.OK, whole.hexdigest()))

    def test_each_answer_comes_before_the_next_request_is_sent(self):
        for subtest, channel in self.each():
            with subtest:
                requests = queue.SimpleQueue()
                stream = method(channel, "stream_stream", "Both")(iter(requests.get, None), metadata=bearer())
                for at in range(200):
                    requests.put(str(at).encode())
                    self.assertEqual(next(stream), str(at).encode())
                requests.put(None)
                self.assertEqual((list(stream), stream.code()), ([], grpc.StatusCode.OK))

    def test_streams_run_beside_each_other(self):
        """Many on one connection, the slow ones beside the fast."""
        for subtest, channel in self.each():
            with subtest:
                streams = [method(channel, "unary_stream", "Pour")(b"20", metadata=bearer()) for _ in range(20)]
                digests = {hashlib.sha256(b"".join(stream)).hexdigest() for stream in reversed(streams)}
                self.assertEqual(digests, {hashlib.sha256(b"".join(map(block, range(20)))).hexdigest()})

    def test_a_deadline_reaches_the_upstream_and_passes(self):
        for subtest, channel in self.each():
            with subtest:
                call, name = self.hanging(channel, "app", timeout=2)
                error = self.fails(lambda: list(call))
                self.assertEqual(error.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
                self.assertTrue(0 < self.echo.calls[name].left < 3, self.echo.calls[name].left)
                self.ended_upstream([(call, name)])

    def test_a_call_that_is_cancelled_is_cancelled_upstream(self):
        for subtest, channel in self.each():
            with subtest:
                call, name = self.hanging(channel, "app")
                call.cancel()
                self.ended_upstream([(call, name)])
                self.assertEqual(call.code(), grpc.StatusCode.CANCELLED)

    def test_refusals_have_their_status_and_say_why(self):
        status = grpc.StatusCode
        for tls, host in PAIRS:
            with self.subTest(tls=tls, host=host):
                channel = self.channel(tls, host)
                for metadata, name, code, says in (
                    ((), "Unary", status.UNAUTHENTICATED, "token-missing"),
                    (bearer(lifetime=-10), "Unary", status.UNAUTHENTICATED, "token-expired"),
                    ((("authorization", "Bearer a.b.c"),), "Unary", status.UNAUTHENTICATED, "token-malformed"),
                    (bearer("stranger"), "Unary", status.PERMISSION_DENIED, "grant-missing"),
                    (bearer(scope="use administer"), "Unary", status.PERMISSION_DENIED, "scope-exceeds-grant"),
                    (bearer(), "Admin", status.PERMISSION_DENIED, "scope-insufficient"),
                    (bearer(), "Unlisted", status.PERMISSION_DENIED, "operation-unlisted"),
                ):
                    for kind in ("unary_unary", "unary_stream", "stream_unary", "stream_stream"):
                        request = b"x" if kind.startswith("unary") else iter([b"x"])
                        call = getattr(channel, kind)(f"/traffic.v1.Echo/{name}")
                        error = self.fails(lambda: drain(call(request, metadata=metadata)))
                        self.assertEqual(error.code(), code, error.details())
                        self.says(error, says)
        for tls in (False, True):
            error = self.fails(lambda: method(self.channel(tls, "nobody.api.example"), "unary_unary", "Unary")(b"", metadata=bearer()))
            self.assertEqual(error.code(), status.UNIMPLEMENTED)
            self.says(error, "route-unknown")
            error = self.fails(lambda: method(self.channel(tls, "gone.api.example"), "unary_unary", "Unary")(b"", metadata=bearer()))
            self.assertEqual(error.code(), status.UNAVAILABLE)
            self.says(error, "upstream-unreachable")

    def test_calls_end_within_a_second_of_losing_their_grant(self):
        cut = self.open("app")
        kept = self.open("other")
        applied = self.without_grants_of_app()
        ends = self.endings(cut, grpc.StatusCode.PERMISSION_DENIED, "grant-missing")
        print(f"a grant is removed: the last of {len(cut)} calls ends {max(ends) - applied:.3f} s later")
        self.assertLess(max(ends) - applied, 1)
        self.ended_upstream(cut)
        for call, _ in kept:
            self.assertTrue(call.is_active())
            call.cancel()
        self.ended_upstream(kept)

    def test_calls_end_within_a_second_of_their_tokens_end(self):
        expires = time.monotonic() + 3
        cut = self.open("app", lifetime=3)
        kept = self.open("other")
        ends = self.endings(cut, grpc.StatusCode.UNAUTHENTICATED, "token-expired")
        print(f"a token expires: {len(cut)} calls end {min(ends) - expires:.3f} to {max(ends) - expires:.3f} s later")
        self.assertGreater(min(ends) - expires, -0.1)
        self.assertLess(max(ends) - expires, 1)
        self.ended_upstream(cut)
        for call, _ in kept:
            self.assertTrue(call.is_active())
            call.cancel()
        self.ended_upstream(kept)

    def open(self, client, **claims):
        """Calls that answered once and go on: a server's stream and one in both directions, in each way."""
        calls = []
        for tls, host in PAIRS:
            channel = self.channel(tls, host)
            calls.append(self.hanging(channel, client, **claims))
            requests = queue.SimpleQueue()
            name = os.urandom(8).hex()
            call = method(channel, "stream_stream", "Both")(
                iter(requests.get, None), metadata=bearer(client, more=(("call", name),), **claims))
            self.addCleanup(requests.put, None)
            requests.put(b"here")
            self.assertEqual(next(call), b"here")
            calls.append((call, name))
        return calls

    def hanging(self, channel, client, timeout=None, **claims):
        """A call that answered once and goes on, and its name."""
        name = os.urandom(8).hex()
        metadata = bearer(client, more=(("call", name),), **claims)
        call = method(channel, "unary_stream", "Hang")(b"", metadata=metadata, timeout=timeout)
        self.assertEqual(next(call), b"here")
        return call, name

    def endings(self, calls, code, says):
        """When each call ended: all of them with the status."""
        ends = {}
        for call, _ in calls:
            call.add_done_callback(lambda call: ends.setdefault(call, time.monotonic()))
            if not call.is_active():
                ends.setdefault(call, time.monotonic())
        gate.until(lambda: len(ends) == len(calls), "an end of the calls")
        for call, _ in calls:
            error = self.fails(lambda: next(call))
            self.assertEqual(error.code(), code, error.details())
            self.says(error, says)
        return ends.values()

    def ended_upstream(self, calls):
        for _, name in calls:
            self.assertTrue(self.echo.calls[name].ended.wait(gate.PATIENCE), "it goes on upstream")

    def fails(self, call):
        with self.assertRaises(grpc.RpcError) as failed:
            call()
        return failed.exception

    def says(self, error, code):
        """The status has a message for people, which names the code."""
        self.assertIn(code, error.details())


def method(channel, kind, name):
    return getattr(channel, kind)(f"/traffic.v1.Echo/{name}")


def bearer(client="app", *, more=(), **claims):
    return (("authorization", f"Bearer {gate.token(client, **claims)}"), *more)


def drain(answer):
    return answer if isinstance(answer, bytes) else list(answer)
