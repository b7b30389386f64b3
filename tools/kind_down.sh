#!/usr/bin/env bash
# Removes the cluster that tools/kind_up.sh made.
set -euo pipefail
PATH="$(go env GOPATH 2>/dev/null || echo "$HOME/go")/bin:$PATH"
kind delete cluster --name minik8s
