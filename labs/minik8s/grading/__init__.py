"""과제: 매니페스트와 코드가 새 클러스터에서 무엇을 *하는지*로 채점한다.

The student's text is parsed and run in a box (sandbox.py); what it does is judged outside, on a fresh cluster.
`from minik8s.grading import Case, Failed, Stage` is what the checks of an assignment need; loaded when asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minik8s.grading.case import Case, Failed, Stage, told

__all__ = ["Case", "Failed", "Stage", "told"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from minik8s.grading import case

        return getattr(case, name)
    raise AttributeError(f"minik8s.grading에는 {name!r}이 없다.")
