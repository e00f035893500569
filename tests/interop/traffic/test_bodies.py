"""Large bodies, both ways, in every protocol: none of their bytes changes, and few are in memory at a time."""

import hashlib
import json
import subprocess
import threading

import gate
import peer
from ground import CLIENTS, PAIRS, UPSTREAMS, Ground

SIZE = (1024 if gate.FULL else 64) * peer.MIB
GROWTH = 8 * peer.MIB


class Bodies(Ground):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.digest = peer.digest(SIZE)

    def setUp(self):
        # What is needed once, such as pages of the program itself, is no growth.
        for client in CLIENTS:
            for upstream in UPSTREAMS:
                self.download(client, upstream, 4 * peer.MIB)
                self.upload(client, upstream, 4 * peer.MIB)

    def measured(self, transfer, what):
        """Runs it for each pair of protocols, and holds the bytes and the memory that they took."""
        worst = {}
        for client, upstream in PAIRS:
            with self.subTest(client=client, upstream=upstream):
                with self.gates[CLIENTS[client][0]].growth() as grown:
                    self.assertEqual(transfer(client, upstream, SIZE), self.digest)
                worst[grown.bytes] = f"{client} → {UPSTREAMS[upstream]}"
                self.assertLess(grown.bytes, GROWTH)
        print(f"{what}: {len(PAIRS)} × {SIZE >> 20} MiB, grown by {max(worst) / 2**20:.1f} MiB at most ({worst[max(worst)]})")

    def test_downloads_are_the_same_bytes_in_little_memory(self):
        self.measured(self.download, "down")

    def test_uploads_are_the_same_bytes_in_little_memory(self):
        self.measured(self.upload, "up")

    def test_a_client_that_stops_reading_holds_the_upstream_back(self):
        def download(client, upstream, size):
            before = self.peer.state()["sent"]
            sent = lambda: self.peer.state()["sent"] - before
            return self.download(client, upstream, size, stop=lambda: self.assertLess(steady(sent), size))

        self.measured(download, "down, stalled")

    def test_an_upstream_that_stops_reading_holds_the_client_back(self):
        self.measured(lambda *of: self.upload(*of, hold=True), "up, stalled")

    def download(self, client, upstream, size, *, stop=lambda: None):
        """Reads a body, of which the length is not known beforehand, and stops after its first part."""
        down = self.curl(client, f"/{upstream}/down?size={size}", stderr=subprocess.PIPE)
        whole = hashlib.sha256(down.stdout.read(65536))
        stop()
        while part := down.stdout.read(peer.MIB):
            whole.update(part)
        self.ended(down)
        return whole.hexdigest()

    def upload(self, client, upstream, size, *, hold=False):
        """Sends a body in the same way, which the upstream begins to read when no more of it goes out."""
        written = 0

        def write():
            nonlocal written
            with up.stdin:
                for part in peer.parts(size):
                    up.stdin.write(part)
                    written += len(part)

        held = self.peer.state()["held"]
        up = self.curl(client, f"/{upstream}/up{'?hold' if hold else ''}", "--upload-file", "-", stdin=subprocess.PIPE)
        writing = threading.Thread(target=write, daemon=True)
        writing.start()
        if hold:
            gate.until(lambda: self.peer.state()["held"] > held or written == size, "an upload that is held")
            self.assertLess(steady(lambda: written), size)
            self.peer.release()
        answer = up.stdout.read()
        self.ended(up)
        writing.join()
        answer = json.loads(answer)
        self.assertEqual(answer["bytes"], size)
        return answer["sha256"]


def steady(number):
    """Waits until a number that grows has stopped to, and returns it."""
    seen = []
    gate.until(lambda: seen.append(number()) or len(seen) > 50 and len(set(seen[-50:])) == 1, "an end of the growth")
    return seen[-1]
