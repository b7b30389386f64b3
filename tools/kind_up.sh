#!/usr/bin/env bash
# Starts a classroom kind cluster of the given minor version: tools/kind_up.sh 1.36 [--dry-run]
# Needs docker (or podman), and kind or go; leaves the kubeconfig context kind-minik8s. With --dry-run it only prints.
set -euo pipefail
cd "$(dirname "$0")/.."
minor="${1:?쿠버네티스 판을 적자. 예: tools/kind_up.sh 1.36}"
dry="${2:-}"
python="${PYTHON:-python3}"
[ -x .venv/bin/python ] && python=.venv/bin/python
minik8s() { PYTHONPATH=labs "$python" -m minik8s "$@"; }
if [ "$dry" = "--dry-run" ]; then
  minik8s kind up --nodes 4 --image "kindest/node:v${minor}.0" --memory 3g --dry-run
  exit 0
fi
command -v kind >/dev/null || {
  : "${KIND_VERSION:=v0.31.0}"
  go version >/dev/null 2>&1 || { echo "kind도 go도 없다. https://kind.sigs.k8s.io 의 설치 안내를 보자." >&2; exit 1; }
  go install "sigs.k8s.io/kind@${KIND_VERSION}"
  PATH="$(go env GOPATH)/bin:$PATH"
}
# The newest patch image of the minor version that the registry lists.
tag="$(docker run --rm quay.io/skopeo/stable list-tags docker://docker.io/kindest/node | "$python" tools/kind_tag.py "$minor")"
[ -n "$tag" ] || { echo "kindest/node에 ${minor} 판이 없다." >&2; exit 1; }
minik8s kind up --nodes 4 --image "kindest/node:${tag}" --memory 3g
