"""Streams that last: events as they come, how streams end, and many requests at a time."""

import hashlib
import itertools
import json
import re
import subprocess
import tempfile
import threading
import time

import gate
import peer
from ground import CLIENTS, PAIRS, UPSTREAMS, Ground

# What curl says of an answer that was broken off: too short, reset, or an error of HTTP/2.
BROKEN = (18, 56, 92)


class Streams(Ground):
    def tearDown(self):
        # Clients that are gone are gone upstream.
        self.doCleanups()
        gate.until(lambda: self.peer.state()["open"] == 0, "an end of the streams upstream")

    def events(self, client, upstream, token):
        """An open stream of events."""
        stream = self.curl(client, f"/{upstream}/events", token=token)
        self.assertEqual(stream.stdout.read(9), b": hello\n\n")
        return stream

    def heard(self, stream, text):
        expected = f"data: {text}\n\n".encode()
        self.assertEqual(stream.stdout.read(len(expected)), expected)

    def test_each_side_speaks_what_it_is_told_to(self):
        for client, upstream in PAIRS:
            with self.subTest(client=client, upstream=upstream):
                asked = self.curl(client, f"/{upstream}/echo?a=%2F", "--write-out", "%{stderr}%{http_version}")
                answer = json.load(asked.stdout)
                self.assertEqual(client.split()[0], f"HTTP/{self.ended(asked)}")
                self.assertEqual(UPSTREAMS[upstream].split()[0], f"HTTP/{answer['version']}".removesuffix(".0"))
                self.assertEqual(answer["path"], f"/{upstream}/echo?a=%2F")

    def test_each_event_comes_before_the_next_is_sent(self):
        streams = [self.events(*pair, gate.token()) for pair in PAIRS]
        for text in map(str, range(25)):
            self.peer.event(text)
            for stream in streams:
                self.heard(stream, text)

    def test_a_client_that_leaves_is_gone_upstream(self):
        for pair in PAIRS:
            with self.subTest(pair):
                stream = self.events(*pair, gate.token())
                self.assertEqual(self.peer.state()["open"], 1)
                self.close(stream)
                gate.until(lambda: self.peer.state()["open"] == 0, "an end of the stream upstream")

    def test_streams_end_within_a_second_of_losing_their_grant_and_others_go_on(self):
        streams = [self.events(*pair, gate.token("app")) for pair in PAIRS]
        others = [self.events(*pair, gate.token("other")) for pair in PAIRS]
        endings = self.endings(streams)
        applied = self.without_grants_of_app()
        last = self.broken_off(streams, endings)
        print(f"a grant is removed: the last of {len(streams)} streams ends {last - applied:.3f} s later")
        self.assertLess(last - applied, 1)
        gate.until(lambda: self.peer.state()["open"] == len(others), "an end of the streams upstream")
        self.peer.event("still here")
        for stream in others:
            self.heard(stream, "still here")

    def test_streams_end_within_a_second_of_their_tokens_end(self):
        expires = time.monotonic() + 3
        token = gate.token(lifetime=3)
        streams = [self.events(*pair, token) for pair in PAIRS]
        others = [self.events(*pair, gate.token()) for pair in PAIRS]
        endings = self.endings(streams)
        last = self.broken_off(streams, endings)
        print(f"a token expires: {len(streams)} streams end {min(endings.values()) - expires:.3f} to {last - expires:.3f} s later")
        self.assertGreater(min(endings.values()) - expires, -0.1)
        self.assertLess(last - expires, 1)
        gate.until(lambda: self.peer.state()["open"] == len(others), "an end of the streams upstream")
        self.peer.event("still here")
        for stream in others:
            self.heard(stream, "still here")

    def test_downloads_are_broken_off_with_their_token(self):
        token, expires = gate.token(lifetime=3), time.monotonic() + 3
        downloads = [self.curl(client, f"/{upstream}/down?size={1 << 40}", token=token)
                     for client, upstream in zip(CLIENTS, itertools.cycle(UPSTREAMS))]
        endings = self.endings(downloads)
        self.assertLess(self.broken_off(downloads, endings) - expires, 1)

    def test_uploads_are_answered_when_their_token_ends(self):
        token, expires = gate.token(lifetime=2), time.monotonic() + 2
        uploads = []
        for tls, upstream in itertools.product((False, True), UPSTREAMS):
            connection = self.http2(tls)
            number = connection.open("PUT", f"/{upstream}/up?hold", [("authorization", f"Bearer {token}")], end=False)
            connection.send(number, b"x" * 1000)
            uploads.append((connection, number))
        for connection, number in uploads:
            answer = connection.answer(number)
            self.assertEqual((answer.status, json.loads(answer.data)["code"]), (401, "token-expired"))
        self.assertLess(time.monotonic() - expires, 1)
        for client, upstream in (("HTTP/1.1", "http2"), ("HTTP/1.1 over TLS", "http1")):
            upload = self.curl(client, f"/{upstream}/up?hold", "--upload-file", ".", token=gate.token(lifetime=1), stdin=subprocess.PIPE)
            upload.stdin.write(b"x" * 1000)
            upload.stdin.flush()
            self.assertEqual(json.load(upload.stdout)["code"], "token-expired")

    def endings(self, streams):
        """Reads streams to their end, and notes when that came."""
        endings = {}

        def follow(stream):
            while stream.stdout.read(65536):
                pass
            endings[stream] = time.monotonic()

        for stream in streams:
            threading.Thread(target=follow, args=[stream], daemon=True).start()
        return endings

    def broken_off(self, streams, endings):
        """Holds each stream to an end that nobody can take for a whole answer, and returns the last one's time."""
        gate.until(lambda: len(endings) == len(streams), "an end of the streams")
        for stream in streams:
            self.assertIn(stream.wait(gate.PATIENCE), BROKEN, stream.stderr.read())
        return max(endings.values())


class Nghttp2(Ground):
    """The reference implementation's own clients."""

    REQUESTS = 100_000 if gate.FULL else 5_000

    def run_client(self, *command):
        done = subprocess.run(command, capture_output=True, timeout=gate.PATIENCE * 10)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout

    def test_nghttp_downloads_and_uploads(self):
        size = 16 * peer.MIB
        with tempfile.NamedTemporaryFile() as file:
            for part in peer.parts(size):
                file.write(part)
            file.flush()
            for tls in (False, True):
                for upstream in UPSTREAMS:
                    with self.subTest(tls=tls, upstream=upstream):
                        command = ["nghttp", "--header", f"authorization: Bearer {gate.token()}"]
                        body = self.run_client(*command, self.url(tls, f"/{upstream}/down?size={size}"))
                        self.assertEqual(hashlib.sha256(body).hexdigest(), peer.digest(size))
                        put = ["--header", ":method: PUT", "--data", file.name]
                        answer = json.loads(self.run_client(*command, *put, self.url(tls, f"/{upstream}/up")))
                        self.assertEqual((answer["bytes"], answer["sha256"]), (size, peer.digest(size)))

    def test_h2load_loses_no_request_with_ten_connections_of_fifty_streams(self):
        for tls in (False, True):
            for upstream in UPSTREAMS:
                for path in ("echo", "down?size=20000"):
                    with self.subTest(tls=tls, upstream=upstream, path=path):
                        report = self.run_client(
                            "h2load", "--requests", str(self.REQUESTS), "--clients", "10", "--max-concurrent-streams", "50",
                            "--header", f"authorization: Bearer {gate.token()}", self.url(tls, f"/{upstream}/{path}")).decode()
                        print(f"h2load, {'TLS' if tls else 'plain'} → {upstream}/{path}: {re.search('finished in .*', report)[0]}")
                        self.assertIn(f"Application protocol: {'h2' if tls else 'h2c'}\n", report)
                        self.assertIn(f"{self.REQUESTS} succeeded, 0 failed, 0 errored, 0 timeout", report)
                        self.assertIn(f"status codes: {self.REQUESTS} 2xx, 0 3xx, 0 4xx, 0 5xx", report)
