#!/usr/bin/env bash
# Runs every lab on the context that MINIK8S_CONTEXT names (kind-minik8s by default), or on any other: the
# same script tries itself out on `minik8s up` with MINIK8S_CONTEXT=minik8s. TWICE=1 runs them twice in a row,
# EVERY_CELL=1 also kills each lab after each of its cells and runs it again.
set -euo pipefail
cd "$(dirname "$0")/.."
place="${MINIK8S_CONTEXT:-kind-minik8s}"
if [ ! -x .venv/bin/python ]; then
  python3 -m venv .venv
  .venv/bin/python -m pip install --quiet -r requirements.txt -e ".[server,lab]"
fi
PATH="$PWD/.venv/bin:$PATH"
labs() { .venv/bin/python tools/lab_runs.py --place "$place" --at-once "${AT_ONCE:-3}" "$@"; }
if [ "${TWICE:-}" = 1 ]; then labs --twice; else labs; fi
[ "${EVERY_CELL:-}" != 1 ] || labs --every-cell
