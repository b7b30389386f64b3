#!/usr/bin/env bash
# Runs every lab on the context that MINIK8S_CONTEXT names (kind-minik8s by default), or on any other: the
# same script tries itself out on `minik8s up` with MINIK8S_CONTEXT=minik8s. TWICE=1 runs them twice in a row.
set -euo pipefail
cd "$(dirname "$0")/.."
export MINIK8S_CONTEXT="${MINIK8S_CONTEXT:-kind-minik8s}"
if [ ! -x .venv/bin/python ]; then
  python3 -m venv .venv
  .venv/bin/python -m pip install --quiet -r requirements.txt -e ".[server,lab]"
fi
PATH="$PWD/.venv/bin:$PATH"
.venv/bin/python -m pytest tests/labs/test_notebooks.py -p no:cacheprovider
[ "${TWICE:-}" != 1 ] || .venv/bin/python -m pytest tests/labs/test_notebooks.py -p no:cacheprovider
