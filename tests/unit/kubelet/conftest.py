"""What every kubelet test gets."""

import pytest
from kubelet_bench import Bench


@pytest.fixture
def bench() -> Bench:
    """A cluster of one node."""
    return Bench()
