"""노트북이 불러오는 것: `from minik8s import lab`, 그리고 `k = lab.connect()`."""

from minik8s.lab.assignment import assignment
from minik8s.lab.choose import choose
from minik8s.lab.conditions import condition
from minik8s.lab.connect import connect
from minik8s.lab.incidents import incident
from minik8s.lab.session import Lab
from minik8s.lab.views.svg import View

__all__ = ["Lab", "View", "assignment", "choose", "condition", "connect", "incident"]
