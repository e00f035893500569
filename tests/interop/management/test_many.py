"""Very many grants in a file of the gate's own, and one more, and one more: how long a create takes, and how much memory
the gate has then, is told. Nothing hangs on how fast it is."""

import json
import statistics
import time
import unittest

import managed
import gate

GRANTS = 100_000 if gate.FULL else 2_000
CREATES = 20


def many():
    """A grant on each line, as the gate writes them."""
    grants = ({"client_id": f"client-{n}", "audience": "https://orders.example", "subject_type": "client",
               "scope": ["read:orders"], "organization_usage": "allow", "organizations": [f"org_{n % 100}"]}
              for n in range(GRANTS))
    rows = ",\n".join(json.dumps(grant, separators=(",", ":")) for grant in grants)
    return f'{{"client_grants": [\n{rows}\n]}}\n'


class Many(managed.Suite):
    def test_one_grant_comes_to_very_many(self):
        configured = managed.configuration(self.certificates, self.keys)
        configured["management"]["file"] = "grants.json"
        started = managed.Managed(configured, self.certificates, files={"grants.json": many()})
        self.addCleanup(self.ended_well, started)
        token, took = started.token, []
        before = started.memory("VmRSS")
        for n in range(CREATES):
            body = {"client_id": f"new-{n}", "audience": "https://orders.example", "scope": ["read:orders"]}
            begun = time.monotonic()
            status, grant = started.asked("POST", "/api/v2/client-grants", body, token=token)
            took.append(1000 * (time.monotonic() - begun))
            self.assertEqual(status, 201, grant)
            status, got = started.asked("GET", f"/api/v2/client-grants/{grant['id']}", token=token)
            self.assertEqual((status, got), (200, grant))
        print(f"{GRANTS} grants: a create takes {statistics.median(took):.0f} ms, at worst {max(took):.0f} ms; "
              f"{before >> 20} MiB before, {started.memory('VmRSS') >> 20} MiB after, {started.memory('VmHWM') >> 20} MiB at most")
        rows = (started.folder / "grants.json").read_text().splitlines()
        self.assertEqual(len(rows), GRANTS + CREATES + 2)


if __name__ == "__main__":
    unittest.main()
