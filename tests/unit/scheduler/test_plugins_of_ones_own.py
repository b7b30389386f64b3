"""Plugins made of a function, configurations, and what happens when either is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from builders import Lab, node, pod

from minik8s.scheduler import user_plugins
from minik8s.scheduler.config import ConfigError
from minik8s.scheduler.user_plugins import filter_plugin, registry, score_plugin, with_plugins


@pytest.fixture(autouse=True)
def nothing_declared() -> Iterator[None]:
    user_plugins.DECLARED.clear()
    yield
    user_plugins.DECLARED.clear()


def lab(**more: Any) -> Lab:
    return Lab(node("n1"), node("n2"), config=with_plugins(None), registry=registry(), **more)


def test_a_score_function_decides_with_its_weight() -> None:
    @score_plugin("LikesN2", weight=10)
    def likes(pod: Any, node: Any) -> int:
        return 100 if node.name == "n2" else 0

    decision = lab().decide(pod("p"))
    assert decision.node == "n2"
    assert decision.scores["LikesN2"].weight == 10
    assert decision.totals["n2"] - decision.totals["n1"] == 1000


def test_raw_scores_may_be_stretched() -> None:
    @score_plugin("Cores", normalize=True)
    def cores(pod: Any, node: Any) -> float:
        return {"n1": 3, "n2": 4.0}[node.name]

    assert lab().decide(pod("p")).scores["Cores"].normalized == {"n1": 75, "n2": 100}


def test_a_filter_function_gives_reasons() -> None:
    @filter_plugin("NoN1")
    def no_n1(pod: Any, node: Any) -> str | None:
        return "node(s) called n1" if node.name == "n1" else None

    decision = lab().decide(pod("p"))
    assert decision.node == "n2"
    assert decision.diagnosis.nodes["n1"].reasons == ("node(s) called n1",)
    assert decision.diagnosis.nodes["n1"].plugin == "NoN1"


def test_views_tell_what_a_function_may_want_to_know() -> None:
    seen = {}

    @score_plugin("Looks")
    def looks(pod: Any, node: Any) -> int:
        seen[node.name] = (pod.name, pod.requests("cpu"), node.size("cpu"), node.used("cpu"), node.free("cpu"))
        return 0

    world = lab()
    world.place(pod("there", "500m"), "n1")
    world.decide(pod("p", "1", labels={"a": "b"}))
    assert seen == {"n1": ("p", 1000, 4000, 500, 3500), "n2": ("p", 1000, 4000, 0, 4000)}


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (101, "returns an invalid score 101"),
        (-1, "returns an invalid score -1"),
        ("many", "returns an invalid score 'many'"),
        (None, "returns an invalid score None"),
        (True, "returns an invalid score True"),
    ],
)
def test_a_nonsense_score_names_plugin_and_pod(answer: object, problem: str) -> None:
    score_plugin("Odd")(lambda pod, node: answer)  # type: ignore[arg-type, return-value]
    decision = lab().decide(pod("p"))
    assert decision.outcome == "error"
    assert decision.message is not None
    assert '"Odd"' in decision.message and '"default/p"' in decision.message and problem in decision.message


def test_an_exception_fails_that_pod_only() -> None:
    @filter_plugin("Picky")
    def picky(pod: Any, node: Any) -> bool:
        return bool(1 / (pod.name != "bad"))

    world = lab()
    broken = world.decide(pod("bad"))
    assert broken.outcome == "error"
    assert broken.message == 'running Filter plugin "Picky" for pod "default/bad": ZeroDivisionError: division by zero'
    assert world.decide(pod("good")).outcome == "scheduled"


def test_a_function_that_never_returns_is_stopped() -> None:
    @score_plugin("Forever")
    def forever(pod: Any, node: Any) -> int:
        while True:
            try:
                pass
            except Exception:
                continue

    decision = lab().decide(pod("p"))
    assert decision.outcome == "error"
    assert decision.message is not None and "did not return" in decision.message and '"Forever"' in decision.message


def test_a_filter_that_answers_nonsense_is_named() -> None:
    filter_plugin("Odd")(lambda pod, node: 7)  # type: ignore[arg-type, return-value]
    decision = lab().decide(pod("p"))
    assert decision.outcome == "error" and decision.message is not None and "returned 7" in decision.message


def test_profiles_take_weights_and_leave_plugins_out() -> None:
    config = {
        "profiles": [
            {"schedulerName": "default-scheduler"},
            {
                "schedulerName": "packer",
                "plugins": {
                    "score": {"disabled": [{"name": "*"}], "enabled": [{"name": "NodeResourcesFit", "weight": 5}]}
                },
                "pluginConfig": [{"name": "NodeResourcesFit", "args": {"scoringStrategy": {"type": "MostAllocated"}}}],
            },
        ]
    }
    world = Lab(node("n1"), node("n2"), config=config)
    world.place(pod("there"), "n1")
    assert world.decide(pod("p")).node == "n2"
    packed = world.decide(pod("p"), "packer")
    assert (packed.node, list(packed.scores), packed.scores["NodeResourcesFit"].weight) == (
        "n1",
        ["NodeResourcesFit"],
        5,
    )


@pytest.mark.parametrize(
    ("profile", "problem"),
    [
        ({"plugins": {"score": {"enabled": [{"name": "Nope"}]}}}, "Nope is not a registered plugin"),
        ({"plugins": {"filter": {"enabled": [{"name": "ImageLocality"}]}}}, "does not extend filter plugin"),
        ({"plugins": {"scoring": {}}}, 'unknown extension point "scoring"'),
        ({"plugins": {"bind": {"disabled": [{"name": "*"}]}}}, "at least one bind plugin"),
        ({"pluginConfig": [{"name": "Nope"}]}, '"Nope", which is not a registered plugin'),
        (
            {"pluginConfig": [{"name": "NodeResourcesFit", "args": {"scoringStrategy": {"type": "Best"}}}]},
            'initializing plugin "NodeResourcesFit": scoring strategy Best is not supported',
        ),
    ],
)
def test_a_wrong_configuration_is_refused_by_name(profile: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=r'profile "default-scheduler"') as caught:
        Lab(config={"profiles": [profile]})
    assert problem in str(caught.value)


def test_two_profiles_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="duplicated profile"):
        Lab(config={"profiles": [{}, {}]})


def test_wrong_declarations_are_refused_in_korean() -> None:
    with pytest.raises(ValueError, match="1 이상의 정수"):
        score_plugin("X", weight=0)
    with pytest.raises(TypeError, match="비어 있지 않은 문자열"):
        filter_plugin("")
