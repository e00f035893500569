"""The README's way to the first grant, as it stands there: in an empty folder, with `openssl` and `curl` alone."""

import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import unittest

import managed  # noqa: F401: it tells where `gate` is
import gate

README = pathlib.Path(gate.PROJECT / "README.md").read_text()


class Readme(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="grantgate-readme-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "bin").mkdir()
        (self.folder / "bin/grantgate").symlink_to(gate.BINARY)

    def test_the_first_grant_is_made_by_curl(self):
        section = README.split("## Grants over HTTP\n")[1].split("\n## ")[0]
        serve, make = re.findall(r"```sh\n(.*?)```", section, re.S)
        # Other ports than those that may be taken here; the system chooses.
        serve = serve.replace("127.0.0.1:9443", "127.0.0.1:0").replace(
            "management:\n", "server: {listen: '127.0.0.1:0', drain_delay: 0s}\nhealth: {listen: '127.0.0.1:0'}\nmanagement:\n", 1)
        serve = serve.replace("gateway.yaml &", "gateway.yaml 2> log > records & echo $!")
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        shell = subprocess.Popen(["bash", "-e"], cwd=self.folder, env={**os.environ, "PATH": path}, text=True,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(shell.stdout.close)
        shell.stdin.write(serve)
        shell.stdin.flush()
        pid = int(shell.stdout.readline())
        self.addCleanup(os.kill, pid, signal.SIGTERM)
        log = self.folder / "log"
        said = gate.until(lambda: log.exists() and re.search(r'management="?127\.0\.0\.1:(\d+)', log.read_text()),
                          "the gate listens")
        before = (self.folder / "gateway.yaml").read_text()
        answer, _ = shell.communicate(make.replace("localhost:9443", f"localhost:{said[1]}"), timeout=gate.PATIENCE)
        grant = json.loads(answer)
        self.assertEqual((grant["client_id"], grant["scope"]), ("web-app", ["read:orders"]))
        self.assertTrue(grant["id"].startswith("cgr_"))
        after = (self.folder / "gateway.yaml").read_text()
        self.assertTrue(after.startswith(before))
        self.assertEqual(len(after.splitlines()) - len(before.splitlines()), 4, after)
