"""시간 더듬기: 순간마다 그때의 지도가 보이고, 위젯이 없으면 여섯 순간이 나란히 보인다."""

import sys

import pytest

from minik8s import lab


@pytest.fixture
def k():
    k = lab.connect(nodes=2)
    k.kubectl("create deployment web --image=nginx:1.27 --replicas=2")
    k.wait("deployment/web")
    return k


def words(scrub):
    return [word for moment in scrub.moments for word in moment.what]


def test_every_change_of_the_map_is_a_moment_in_order(k):
    k.sleep(10)
    k.delete(f"pod/{k.pods()[0]['metadata']['name']}")
    k.sleep(30)
    scrub = k.scrub()
    times = [moment.time for moment in scrub.moments]
    assert times == sorted(times) and len(set(times)) == len(times)
    assert [len(moment.pods) for moment in (scrub.moments[0], scrub.moments[-1])] == [2, 2]
    assert any(word.endswith("사라짐") for word in words(scrub))


def test_the_last_moment_looks_like_the_map_of_now(k):
    k.sleep(20)
    scrub = k.scrub()
    assert scrub.at(-1).text.count("Running") == k.map().text.count("Running") == 2


def test_a_moment_looks_as_the_history_says_it_was(k):
    k.scale("deployment/web", 5)
    k.wait("deployment/web")
    for moment in k.scrub().moments[:-1]:
        then = k.history.at_time(k.place.now() - k.elapsed + moment.time + 0.4999)
        assert {p["metadata"]["uid"] for p in then.list("pods", "default")} == {
            p["metadata"]["uid"] for p in moment.pods
        }


def test_a_fault_is_a_moment_and_so_is_what_it_did_to_the_node(k):
    k.nodes.crash("node-1")
    k.sleep(120)
    said = words(k.scrub())
    assert said.index("[crash nodes/node-1]") < said.index("node-1 NotReady")


def test_only_the_pods_that_were_asked_for(k):
    k.kubectl("run other --image=nginx:1.27")
    k.sleep(10)
    assert not any(word.startswith("other") for word in words(k.scrub("app=web")))
    assert any(word.startswith("other") for word in words(k.scrub()))


def test_since_begins_with_the_cluster_as_it_was_then(k):
    k.sleep(100)
    begin = k.elapsed
    k.sleep(10)
    k.scale("deployment/web", 3)
    k.sleep(10)
    scrub = k.scrub(since=begin)
    assert scrub.moments[0].time == begin and scrub.moments[0].headline.endswith("시작")
    assert len(scrub.moments[0].pods) == 2 and len(scrub.moments[-1].pods) == 3


def test_many_moments_are_taken_together(k):
    for replicas in (9, 2) * 30:
        k.scale("deployment/web", replicas)
        k.sleep(5)
    assert 6 < len(k.scrub().moments) <= 60


def test_without_widgets_six_maps_stand_side_by_side_and_say_the_same_in_words(k, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    k.scale("deployment/web", 6)
    k.sleep(30)
    scrub = k.scrub()
    bundle = scrub._repr_mimebundle_()
    assert sorted(bundle) == ["text/html", "text/plain"]
    assert len(scrub.chosen) == min(6, len(scrub.moments))
    assert all(scrub.moments[i].headline in bundle["text/plain"] for i in scrub.chosen)
    assert 'role="img"' in bundle["text/html"] and "글로 보기" in bundle["text/html"]


def test_the_slider_shows_the_map_of_its_moment_and_the_buttons_stop_at_the_ends(k):
    pytest.importorskip("ipywidgets")
    k.scale("deployment/web", 4)
    k.sleep(30)
    scrub = k.scrub()
    row, shown = scrub.widget.children
    slider, back, on = row.children
    assert (slider.min, slider.max) == (0, len(scrub.moments) - 1)
    assert back.disabled and not on.disabled
    slider.value = slider.max
    assert shown.outputs[0]["data"]["text/plain"] == scrub.at(slider.max).text
    assert on.disabled
    back.click()
    assert slider.value == slider.max - 1
    assert scrub.moments[slider.value].headline in shown.outputs[0]["data"]["text/html"]


def test_an_empty_cluster_has_nothing_to_show():
    scrub = lab.connect(nodes=0).scrub()
    assert repr(scrub) == "보일 순간이 없다." and scrub.widget is None
    assert "text/html" in scrub._repr_mimebundle_()
