import copy
import json

import pytest

from minik8s.objects import freeze, thaw


def test_frozen_values_read_as_ordinary_json():
    value = {"a": [1, {"b": None}]}
    frozen = freeze(value)
    assert frozen == value and json.dumps(frozen) == json.dumps(value)


@pytest.mark.parametrize(
    "change",
    [
        lambda o: o.update(a=1),
        lambda o: o.__setitem__("a", 1),
        lambda o: o.pop("a"),
        lambda o: o["a"].append(1),
        lambda o: o["a"].__setitem__(0, 1),
        lambda o: o["a"].sort(),
        lambda o: o.setdefault("z", 1),
    ],
)
def test_every_way_of_changing_is_refused(change):
    with pytest.raises(TypeError):
        change(freeze({"a": [1]}))


def test_a_frozen_part_of_a_new_value_is_not_copied():
    part = freeze({"x": 1})
    assert freeze({"part": part})["part"] is part


def test_thaw_and_deepcopy_give_independent_ordinary_values():
    frozen = freeze({"a": [{"b": 1}]})
    for mine in (thaw(frozen), copy.deepcopy(frozen)):
        mine["a"][0]["b"] = 2
        assert type(mine["a"]) is list
    assert frozen["a"][0]["b"] == 1
