"""The upstream of peer.mjs, and the bytes that both make."""

import hashlib
import json
import urllib.request

from gate import PATIENCE, Process

BLOCK = 65536
MIB = 2**20
_BLOCK = bytes((at * at * 31 + (at >> 8) * 7) & 255 for at in range(BLOCK))


def parts(size):
    """The bytes of a body: blocks, each of which begins with its number, so that none can take another's place."""
    for at in range(0, size, BLOCK):
        part = _BLOCK[: size - at]
        yield (at // BLOCK).to_bytes(8, "big") + part[8:] if len(part) >= 8 else part


def digest(size):
    whole = hashlib.sha256()
    for part in parts(size):
        whole.update(part)
    return whole.hexdigest()


class Peer(Process):
    """A running upstream: its ports by protocol, and what it saw."""

    def __init__(self, certificates):
        script = __file__.removesuffix("peer.py") + "peer.mjs"
        super().__init__(["node", script, certificates.cert, certificates.key], stream="stdout")
        self.ports = json.loads(self.seen("control")[0].string)

    def _ask(self, path, body=None):
        url = f"http://127.0.0.1:{self.ports['control']}{path}"
        with urllib.request.urlopen(url, data=body, timeout=PATIENCE) as answer:
            return json.load(answer)

    def state(self):
        return self._ask("/state")

    def event(self, text):
        """Gives an event to every open stream of events."""
        return self._ask("/event", text.encode())

    def release(self):
        """Has the uploads read that were held."""
        return self._ask("/release", b"")
