"""Connections that do nothing: what each takes of the gate's memory, and that each goes on to serve."""

import pathlib
import subprocess
import sys

import gate
from ground import Ground

# The gate keeps a descriptor free for an upstream's connection beside each of a client.
DESCRIPTORS = gate.need_descriptors(21_000)
COUNT = min(10_000, (DESCRIPTORS - 300) // 2) if gate.FULL else 500
# At most so many bytes for each, in each protocol.
KINDS = {"HTTP/1.1": 30_000, "HTTP/2": 40_000, "HTTP/1.1 over TLS": 34_000, "HTTP/2 over TLS": 48_000}


class Idle(Ground):
    @classmethod
    def sections(cls):
        return {"limits": {"connections": COUNT + 100}, "timeouts": {"idle": "15m"}}

    def test_idle_connections_take_little_and_live(self):
        for kind, most in KINDS.items():
            with self.subTest(kind):
                # One of its own: memory that others gave back is not measured.
                running = self.start(self.gates[kind.endswith("TLS")].configured)
                self.rest(running, kind, 50)  # what is needed once
                before = running.memory("RssAnon")
                clients = self.clients(running, kind, COUNT)
                each = (running.memory("RssAnon") - before) / COUNT
                print(f"{kind}: {COUNT} idle connections take {each:.0f} bytes each")
                self.finish(clients, COUNT)
                self.assertLess(each, most)

    def rest(self, running, kind, count):
        self.finish(self.clients(running, kind, count), count)

    def clients(self, running, kind, count):
        script = pathlib.Path(__file__).with_name("idle.py")
        command = [sys.executable, script, running.port, kind, count, self.certificates.ca, gate.token()]
        clients = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(self.close, clients)
        self.assertEqual(clients.stdout.readline(), f"open {count}\n".encode())
        return clients

    def finish(self, clients, count):
        clients.stdin.write(b"go\n")
        clients.stdin.flush()
        self.assertEqual(clients.stdout.readline(), f"alive {count}\n".encode())
        self.assertEqual(clients.wait(gate.PATIENCE), 0)
