"""The program's `import` and `check`, as suites ask them."""

import os
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE = 60


def ran(*parts):
    """How the program ends, what it prints and what it says."""
    done = subprocess.run([os.environ["GRANTGATE"], *map(str, parts)], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=PATIENCE, text=True)
    return done.returncode, done.stdout, done.stderr


def checked(folder, text):
    """The report on a configuration that has to be taken."""
    file = folder / "gateway.yaml"
    file.write_text(text)
    code, report, said = ran("check", "--config", file)
    assert code == 0, report + said
    return report
