"""장애 실습: 고장 난 클러스터를 건네받아 원인을 찾고 고친다. `lab.incident(k, "wrong-selector")`.

One file per incident; each holds a PROBLEM. A new incident is one file and one line here.
"""

from __future__ import annotations

from importlib import import_module

from minik8s.lab.incidents.incident import Incident
from minik8s.lab.incidents.problem import Problem
from minik8s.lab.session import Lab

NAMES = (
    "crash-loop",
    "wrong-selector",
    "full-quota",
    "unschedulable",
    "bad-probe",
    "dns",
    "expired-rollout",
    "lost-node",
    "pvc-pending",
    "rbac-denied",
)


def problem(name: str) -> Problem:
    """The incident of this name. ValueError in Korean when there is none."""
    if name not in NAMES:
        raise ValueError(f"{name!r}라는 장애 실습은 없다. 있는 것: {', '.join(NAMES)}")
    found: Problem = import_module(f"{__name__}.{name.replace('-', '_')}").PROBLEM
    return found


def incident(k: Lab, name: str) -> Incident:
    """장애를 일으키고 돌려준다. 이야기와 할 일을 찍는다.

    name: crash-loop, wrong-selector, full-quota, unschedulable, bad-probe, dns, expired-rollout, lost-node,
    pvc-pending, rbac-denied.
    """
    return Incident(k, problem(name))
