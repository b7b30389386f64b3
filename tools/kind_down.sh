#!/usr/bin/env bash
# Removes the cluster that tools/kind_up.sh made.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$(go env GOPATH 2>/dev/null || echo "$HOME/go")/bin:$PATH"
python="${PYTHON:-python3}"
[ -x .venv/bin/python ] && python=.venv/bin/python
PYTHONPATH=labs "$python" -m minik8s kind down "$@"
