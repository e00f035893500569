#!/usr/bin/env python3
"""A configuration with very many grants, as large as one likes.

    tests/million.py FOLDER [--grants N] [--apis N] [--yaml]

Writes `gateway.yaml` (issuer, APIs) and the grants: `grants.json`, a grant on each line as programs write
them, or with `--yaml` `grants.yaml` as people do, whose size is limited. The same numbers give the same
files, byte for byte; `--without K` leaves out every K-th grant, for comparisons.
"""

import argparse
import json
import pathlib

SCOPES = [f"{verb}:{thing}" for thing in ("orders", "items", "users", "refunds") for verb in ("read", "write")]


def gateway(apis):
    yield 'server: {listen: "127.0.0.1:0", workers: 1}'
    yield 'health: {listen: "127.0.0.1:0"}'
    yield 'admin: {listen: "127.0.0.1:0"}'
    yield 'issuers: [{issuer: "https://issuer.example/", profile: auth0, jwks: {keys: []}}]'
    yield "resource_servers:"
    for api in range(apis):
        yield f"  - identifier: https://api{api}.example.com"
        yield f"    scopes: [{', '.join(json.dumps({'value': scope}) for scope in SCOPES)}]"
        yield "    subject_type_authorization:"
        yield "      user: {policy: require_client_grant}"
        yield "      client: {policy: require_client_grant}"
        yield "    gate:"
        yield f"      hosts: [api{api}.example.com]"
        yield "      upstream: http://127.0.0.1:3000"
        yield "      operations:"
        for scope in SCOPES:
            verb, thing = scope.split(":")
            method = "GET" if verb == "read" else "POST"
            yield f'        - {{on: "{method} /{thing}/*", scopes: ["{scope}"]}}'


def grants(count, apis, without):
    """Each client has a grant for itself and one for users on every API, until there are enough."""
    for number in range(count):
        if without and number % without == without - 1:
            continue
        client, rest = divmod(number, 2 * apis)
        api, subject_type = divmod(rest, 2)
        first = number % len(SCOPES)
        grant = {
            "client_id": f"application-{client:06}",
            "audience": f"https://api{api}.example.com",
            "subject_type": ("client", "user")[subject_type],
            "scope": sorted({SCOPES[first], SCOPES[(first + 3) % len(SCOPES)]}),
        }
        if subject_type == 0 and number % 10 == 0:
            grant |= {"organization_usage": "require", "organizations": [f"org_{number % 997}"]}
        yield json.dumps(grant, separators=(",", ":"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--grants", type=int, default=1_000_000)
    parser.add_argument("--apis", type=int, default=10)
    parser.add_argument("--without", type=int, default=0, metavar="K")
    parser.add_argument("--yaml", action="store_true")
    options = parser.parse_args()

    options.folder.mkdir(parents=True, exist_ok=True)
    (options.folder / "gateway.yaml").write_text("\n".join(gateway(options.apis)) + "\n")
    rows = grants(options.grants, options.apis, options.without)
    if options.yaml:
        with open(options.folder / "grants.yaml", "w") as file:
            file.write("client_grants:\n")
            file.writelines(f"  - {row}\n" for row in rows)
    else:
        with open(options.folder / "grants.json", "w") as file:
            file.write('{"client_grants": [\n')
            file.writelines((",\n" if number else "") + row for number, row in enumerate(rows))
            file.write("\n]}\n")


if __name__ == "__main__":
    main()
