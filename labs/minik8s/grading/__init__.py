"""과제: 매니페스트와 코드가 새 클러스터에서 무엇을 *하는지*로 채점한다.

The student's text is parsed and run in a box (sandbox.py); what it does is judged outside, on a fresh cluster.
"""

from minik8s.grading.assignment import Assignment, find, shipped
from minik8s.grading.case import Case, Failed, Stage

__all__ = ["Assignment", "Case", "Failed", "Stage", "find", "shipped"]
