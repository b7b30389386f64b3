"""How fast the engine is: start, a virtual hour, a node's failure, and 10,000 pods on 1,000 nodes.

python tools/bench_engine.py [start | hour | failure | scale | scale_one ...]
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "labs"))

from minik8s.bench.engine import main

if __name__ == "__main__":
    main()
