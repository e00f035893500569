"""What a client of PyPI is driven by: as `talk.mjs` does it for those of npm."""

import json
import os
import sys

DOMAIN = os.environ["MANAGEMENT_DOMAIN"]
TOKEN = os.environ.get("MANAGEMENT_TOKEN")
CLIENT, SECRET = os.environ.get("MANAGEMENT_CLIENT"), os.environ.get("MANAGEMENT_SECRET")

requests = 0


def counted(send):
    """`send`, counted each time that it is called."""
    def counting(*parts, **more):
        global requests
        requests += 1
        return send(*parts, **more)
    return counting


def talk(calls, refused):
    """Answers until the input ends. `calls` are functions by their names, `refused` reads a client's error."""
    global requests
    for line in sys.stdin:
        name, *parts = json.loads(line)
        requests = 0
        said = tried(calls[name], parts, refused) if name in calls else {"missing": True}
        print(json.dumps({**said, "requests": requests}), flush=True)


def tried(call, parts, refused):
    try:
        return {"returned": call(*parts)}
    except Exception as error:
        return {"refused": refused(error) or {"message": repr(error)}}
