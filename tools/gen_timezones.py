"""Writes the names of the IANA tz database (public domain) into the package data: CronJobs name time zones.

    python tools/gen_timezones.py

A server in a web page has no tz database to look at; names are all that validation needs.
"""

from __future__ import annotations

import zoneinfo
from pathlib import Path

OUT = Path(__file__).resolve().parents[1] / "labs/minik8s/objects/data/timezones.txt"
HEAD = "# Names in the IANA tz database (public domain); made by tools/gen_timezones.py.\n"

if __name__ == "__main__":
    OUT.write_text(HEAD + "\n".join(sorted(zoneinfo.available_timezones())) + "\n")
