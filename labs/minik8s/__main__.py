"""`python -m minik8s`."""

import sys

from minik8s.edge.cli import main

sys.exit(main())
