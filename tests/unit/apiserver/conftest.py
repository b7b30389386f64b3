"""Fixtures of the API server's tests."""

from __future__ import annotations

import pytest

from unit.apiserver.serving import Api


@pytest.fixture
def api() -> Api:
    return Api()
