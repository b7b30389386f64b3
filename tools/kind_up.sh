#!/usr/bin/env bash
# Starts a kind cluster of three workers with the given minor version: tools/kind_up.sh 1.36
# Needs docker (or podman) and kind; leaves the kubeconfig context kind-minik8s.
set -euo pipefail
minor="${1:?쿠버네티스 판을 적자. 예: tools/kind_up.sh 1.36}"
command -v kind >/dev/null || {
  : "${KIND_VERSION:=v0.31.0}"
  go version >/dev/null 2>&1 || { echo "kind도 go도 없다. https://kind.sigs.k8s.io 의 설치 안내를 보자." >&2; exit 1; }
  go install "sigs.k8s.io/kind@${KIND_VERSION}"
  PATH="$(go env GOPATH)/bin:$PATH"
}
config="$(mktemp)"
trap 'rm -f "$config"' EXIT
cat >"$config" <<YAML
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
  - role: control-plane
  - role: worker
  - role: worker
  - role: worker
YAML
# The newest patch image of the minor version that the registry lists.
tag="$(docker run --rm quay.io/skopeo/stable list-tags docker://docker.io/kindest/node |
  python3 -c 'import json,re,sys
minor=sys.argv[1]
tags=[t for t in json.load(sys.stdin)["Tags"] if re.fullmatch(rf"v{re.escape(minor)}\.\d+", t)]
print(max(tags, key=lambda t: int(t.rsplit(".",1)[1])) if tags else "")' "$minor")"
[ -n "$tag" ] || { echo "kindest/node에 ${minor} 판이 없다." >&2; exit 1; }
kind create cluster --name minik8s --image "kindest/node:${tag}" --config "$config" --wait 180s
