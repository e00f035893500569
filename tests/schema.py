"""The schema for editors, held by a foreign validator against every shipped configuration.

Each file fits config/schema.json; and slips that an editor should mark do not. Needs jsonschema and
ruamel.yaml, which reads YAML 1.2 as editors do.
"""

import json
import pathlib
import sys

from jsonschema import Draft7Validator
from ruamel.yaml import YAML

ROOT = pathlib.Path(__file__).parent.parent
SCHEMA = json.loads((ROOT / "config/schema.json").read_text())

# What is replaced in the commented file, which has every key, and what that makes of it.
SLIPS = {
    "an unknown key": ("  drain_delay:", "  drain_dealy:"),
    "a wrong kind": ("  records: true", "  records: sometimes"),
    "an unknown name": ("over_ceiling: reject", "over_ceiling: refuse"),
    "a duration without a unit": ("poll: 30s", "poll: 30"),
    "a size of another form": ("uri_bytes: 8KiB", "uri_bytes: 8 kB"),
    "a list that is none": ('scopes: ["read:orders"]}', 'scopes: "read:orders"}'),
    "nothing written": ("profile: auth0", "profile:"),
}


def read(text):
    return YAML(typ="safe", pure=True).load(text)


def main():
    Draft7Validator.check_schema(SCHEMA)
    validator = Draft7Validator(SCHEMA)
    wrong = []
    files = sorted((ROOT / "config").rglob("*.yaml"))
    for file in files:
        for error in validator.iter_errors(read(file.read_text())):
            wrong.append(f"{file.relative_to(ROOT)}: {error.json_path}: {error.message}")
    text = (ROOT / "config/gateway.yaml").read_text()
    for slip, (right, written) in SLIPS.items():
        if text.count(right) == 0:
            wrong.append(f"{slip}: `{right}` is not in config/gateway.yaml")
        elif validator.is_valid(read(text.replace(right, written, 1))):
            wrong.append(f"{slip} is not found: `{written}`")
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{len(files)} files fit config/schema.json, {len(SLIPS)} slips do not")


main()
