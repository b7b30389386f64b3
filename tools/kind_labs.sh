#!/usr/bin/env bash
# Runs the guided labs on the context that MINIK8S_CONTEXT names (kind-minik8s by default).
set -euo pipefail
cd "$(dirname "$0")/.."
export MINIK8S_CONTEXT="${MINIK8S_CONTEXT:-kind-minik8s}"
python3 -m venv .venv
.venv/bin/python -m pip install --quiet -r requirements.txt -e ".[server,lab]"
.venv/bin/python -m pytest tests/labs -p no:cacheprovider
