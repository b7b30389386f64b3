"""노트북에서 골라 잇기: 컨텍스트의 목록과 단추를 보여 준다."""

from __future__ import annotations

import os
from typing import Any

from minik8s.lab.session import Lab


class Chooser:
    """`choice = lab.choose()`가 돌려주는 것. 단추를 누르면 잇고, `choice.k`가 이어진 실습이다."""

    def __init__(self) -> None:
        import ipywidgets as widgets

        self._lab: Lab | None = None
        self.menu = widgets.Dropdown(options=options(), description="클러스터")
        self.button = widgets.Button(description="잇기", button_style="primary")
        self.output = widgets.Output()
        self.button.on_click(self._connect)
        self._box = widgets.VBox([widgets.HBox([self.menu, self.button]), self.output])

    @property
    def k(self) -> Lab:
        """이어진 실습. 아직 잇지 않았으면 고른 것(처음에는 내장 클러스터)에 잇는다."""
        if self._lab is None:
            self._connect()
        if self._lab is None:
            raise RuntimeError("잇지 못했다. 위의 글을 읽고 다른 클러스터를 고르자.")
        return self._lab

    def _connect(self, _button: Any = None) -> None:
        from minik8s.lab.connect import connect

        self.output.clear_output()
        with self.output:
            try:
                self._lab = connect(self.menu.value)
                print(f"이어졌다: {self._lab.place.name}, 네임스페이스 {self._lab.namespace}")
            except RuntimeError as refused:  # refused or out of reach, said in Korean
                self._lab = None
                print(refused)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self._box)  # type: ignore[no-untyped-call]


def options() -> list[tuple[str, str]]:
    """(what the menu says, context), the embedded cluster first; contexts that are not for practice say so."""
    from minik8s.lab.connect import EMBEDDED
    from minik8s.lab.contexts import ContextRefused, check_context, contexts, user_kubeconfig

    found = [("내장 클러스터", EMBEDDED)]
    try:
        known = contexts(user_kubeconfig(os.environ.get("MINIK8S_CONTEXT", "")))
    except ContextRefused:
        return found  # no kubeconfig: only the embedded one is there
    for name in known:
        try:
            check_context(name, known)
            found.append((name, name))
        except ContextRefused:
            found.append((f"{name} (연습용이 아니다)", name))
    return found


def choose() -> Chooser:
    """어느 클러스터에 이을지 고르는 위젯. `choice = lab.choose()` 뒤에 `k = choice.k`."""
    return Chooser()
