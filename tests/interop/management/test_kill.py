"""The gate is killed at any moment of its writes, and started again on what it left: every grant that it acknowledged is
there, in a file that is whole."""

import http.client
import os
import random
import threading
import time
import unittest
import urllib.error
import urllib.parse

import managed
import gate

ROUNDS = 200 if gate.FULL else 20
WRITERS = 2


class Kill(managed.Suite):
    def setUp(self):
        self.gate = self.managed()
        self.token = self.keys.token()
        self.random = random.Random(seed := int.from_bytes(os.urandom(4)))
        print(f"seed {seed} ", end="")

    def test_what_was_acknowledged_is_there_after_any_end(self):
        acknowledged, tried = {}, set()
        for round_ in range(ROUNDS):
            news = threading.Semaphore(0)
            writers = [threading.Thread(target=self.write, args=[f"{round_}-{n}", acknowledged, tried, news])
                       for n in range(WRITERS)]
            for writer in writers:
                writer.start()
            for _ in range(self.random.randint(1, 8)):
                self.assertTrue(news.acquire(timeout=gate.PATIENCE), "nothing was written")
            # Into the midst of a write, or of the one behind it.
            time.sleep(self.random.uniform(0, 0.03))
            self.gate.kill()
            for writer in writers:
                writer.join()
            self.gate.again()
            there = self.listed()
            lost = {grant: client for grant, client in acknowledged.items() if there.get(grant) != client}
            self.assertEqual(lost, {}, f"lost in round {round_} of {len(acknowledged)}")
            self.assertLessEqual(set(there.values()) - tried, {"reporter"})
        self.assertGreater(len(acknowledged), 2 * ROUNDS)
        for line in managed.GRANTS.splitlines():
            self.assertIn(line, self.gate.text())
        # What was left behind is found by whoever writes next, and gone when it leaves in order.
        self.assertEqual(self.create("last")[0], 201)
        self.gate.leave()
        self.assertEqual(set(os.listdir(self.gate.folder)), {"gateway.yaml", "grants.yaml"})

    def create(self, client):
        body = {"client_id": client, "audience": "https://orders.example", "scope": ["read:orders"]}
        return self.gate.asked("POST", "/api/v2/client-grants", body, token=self.token)

    def write(self, name, acknowledged, tried, news):
        """Makes one grant after the other until nobody answers; notes those that were made."""
        for n in range(10_000):
            tried.add(client := f"{name}-{n}")
            try:
                status, grant = self.create(client)
            except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError):
                return
            assert status == 201, grant
            acknowledged[grant["id"]] = client
            news.release()

    def listed(self):
        """Every grant that is there: whose it is, by its id."""
        there, asked = {}, {"take": 100}
        while True:
            status, page = self.gate.asked("GET", f"/api/v2/client-grants?{urllib.parse.urlencode(asked)}", token=self.token)
            self.assertEqual(status, 200, page)
            there |= {grant["id"]: grant["client_id"] for grant in page["client_grants"]}
            if "next" not in page:
                return there
            asked["from"] = page["next"]


if __name__ == "__main__":
    unittest.main()
