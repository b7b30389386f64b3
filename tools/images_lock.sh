#!/usr/bin/env bash
# Ask the registries what the labs' images are now, and propose the new lock as a pull request when it changed.
set -euo pipefail
lock=labs/minik8s/edge/data/images.lock.yaml
.venv/bin/minik8s images lock
[ -n "$(git status --porcelain "$lock")" ] || { echo "nothing changed"; exit 0; }
git switch -C images-lock
git add "$lock"
git -c user.name="images lock" -c user.email="actions@users.noreply.github.com" commit -m "Images of the labs by their present digests"
git push --force origin images-lock
gh pr create --head images-lock --title "Images of the labs by their present digests" --body "Made by tools/images_lock.sh." \
  || gh pr view images-lock
