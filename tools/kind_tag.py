"""The newest patch tag of a minor version, from skopeo's list of tags on standard input: kind_tag.py 1.36"""

from __future__ import annotations

import json
import re
import sys


def newest(tags: list[str], minor: str) -> str:
    """`v1.36.2` of v1.36.0, v1.36.2, v1.36.2-rc.1; "" without any."""
    fit = [tag for tag in tags if re.fullmatch(rf"v{re.escape(minor)}\.\d+", tag)]
    return max(fit, key=lambda tag: int(tag.rpartition(".")[2]), default="")


if __name__ == "__main__":
    print(newest(json.load(sys.stdin)["Tags"], sys.argv[1]))
