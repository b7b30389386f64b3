"""상태 그림은 표의 모든 줄을 글로 말하고, 빼라고 한 줄만 그리지 않는다."""

from minik8s.kubelet.lifecycle import POD_TABLE, PodEvent, PodState
from minik8s.lab.views import states

PLACES = {state: (i % 5, i // 5) for i, state in enumerate(PodState)}


def test_every_row_of_the_table_is_said():
    view = states.render(POD_TABLE, PLACES, title="파드")
    assert len(view.text.splitlines()) == len(POD_TABLE)
    assert "New --admitted--> Mounting" in view.text
    assert all(f">{state.value}<" in view.svg for state in PodState)


def test_rows_left_out_are_said_but_not_drawn():
    words = {PodEvent.REFUSED: "거절"}
    out = [(PodState.NEW, PodEvent.REFUSED)]
    assert "거절" in states.render(POD_TABLE, PLACES, words=words).svg
    view = states.render(POD_TABLE, PLACES, words=words, leave_out=out)
    assert "거절" not in view.svg and "New --거절--> Rejected" in view.text
