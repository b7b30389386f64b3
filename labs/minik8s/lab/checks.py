"""실습의 확인 셀: 무엇이 되었고 무엇이 남았는지 한국어로 말한다."""

from __future__ import annotations

from collections.abc import Callable


class Checks:
    """`check = k.checks("05-architecture")`; `check("이름", 조건, "모자랄 때의 도움말")`.

    조건은 참·거짓이거나, 부르면 참·거짓을 주는 함수다. 결과는 모아 두었다가 `check.report()`가 보여 준다.
    """

    def __init__(self, title: str):
        self.title = title
        self.results: dict[str, bool] = {}

    def __call__(self, name: str, passed: bool | Callable[[], bool], hint: str = "") -> None:
        """Say whether `name` holds. A failing or raising test is told with the hint, and stops nothing."""
        why = hint
        try:
            good = bool(passed() if callable(passed) else passed)
        except Exception as error:  # a half-done step fails in any way; the learner needs the hint, not a traceback
            good, why = False, f"{hint} ({type(error).__name__}: {error})"
        self.results[name] = good
        print(f"[통과] {name}" if good else f"[아직] {name}" + (f"\n       {why}" if why else ""))

    def report(self) -> None:
        """How many checks passed, and which are left."""
        left = [name for name, good in self.results.items() if not good]
        done = len(self.results) - len(left)
        print(f"{self.title}: {len(self.results)}가지 가운데 {done}가지 통과")
        for name in left:
            print(f"  남은 것: {name}")
