"""Every lab runs from top to bottom, and every one of its checks passes, in each place."""

import pytest
from conftest import NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_the_lab_passes(path, printed):
    text = printed[path]
    if isinstance(text, BaseException):
        raise text
    assert "[통과]" in text
    assert "[아직]" not in text, text
